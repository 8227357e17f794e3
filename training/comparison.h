// Several trainings side by side: which of them are one method repeated, and their figures' means and spreads.
#pragma once
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "training/csv_log.h"
#include "training/epochs_to.h"
#include "training/metrics.h"

namespace kern::training {

struct Spread {
  double mean = 0, deviation = 0;  // of a sample: the squares' sum by n - 1; 0 for one value
  int64_t n = 0;
};
Spread spread_of(std::span<const double> values);
std::string to_string(const Spread& s, int decimals = 4);  // "0.7130 ± 0.0041", "0.7130" of one value, "–" of none

using Settings = std::vector<std::pair<std::string, std::string>>;  // key and value, in the order of the keys

struct ComparedRun {
  std::string name;  // its folder
  Settings settings;
  ConfusionMatrix matrix;
  std::vector<std::string> evaluated;  // the items it was evaluated on
  int64_t labelled = 0;                // labelled items that it learnt from
  CsvTable metrics;                    // metrics.csv
};

// Keys by what a difference in them means: nothing at all (where a run stands, on how many threads); or the same method
// once more (seed, fold).
struct ComparisonRules {
  std::set<std::string> silent, repeats;
};

struct ComparedMethod {
  std::string name;          // the settings that tell it from the others: "method=fixmatch, labelled_fraction=0.125"
  Settings settings;         // those
  std::vector<size_t> runs;  // in the order given
};

// Methods in the order of their first run; every setting that differs between two methods is in all their settings.
std::vector<ComparedMethod> group_runs(const std::vector<Settings>& runs, const ComparisonRules& rules);

// Error in a sentence when methods were not evaluated on the same items (by the union of their folds), or when two runs
// have other classes.
void check_comparable(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods);

// Of a figure over the runs of a method.
Spread spread_of(const std::vector<ComparedRun>& runs, const ComparedMethod& method,
                 double (ConfusionMatrix::*figure)() const);
// The epochs until an aim, over those runs of a method that came to it.
Spread epochs_until(const std::vector<ComparedRun>& runs, const ComparedMethod& method, const std::string& figure,
                    double value);
// Of each figure the value that every run reached: what the run with the worst best came to. Figures that a run lacks
// are left out.
Aims aims_all_reached(const std::vector<ComparedRun>& runs, const std::vector<std::string>& figures);
// All runs of a method in one matrix.
ConfusionMatrix pooled(const std::vector<ComparedRun>& runs, const ComparedMethod& method);

}  // namespace kern::training
