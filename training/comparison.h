// Several trainings side by side: which of them are one method repeated, and their figures' means and spreads. What a
// task's own figures are is data (a figure has a name); a segmentation has a confusion matrix besides.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "training/config.h"
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
  std::map<std::string, std::vector<double>> numbers;     // of result.json, a number as a list of one; NaN for null
  std::map<std::string, std::vector<std::string>> words;  // the same of texts
  CsvTable metrics;                                       // metrics.csv; empty: it has none

  // Of a segmentation, as it was evaluated again; without one the rest is of no use.
  std::optional<ConfusionMatrix> matrix = {};
  std::vector<std::string> evaluated = {};  // the items it was evaluated on
  int64_t labelled = 0;                     // labelled items that it learnt from

  double number(const std::string& figure) const;     // NaN: it has none
  std::string word(const std::string& key) const;     // empty: it has none
  std::string setting(const std::string& key) const;  // empty: it has none
};
// `keys` are those of the task's train, bound to a configuration, which is the run's afterwards. Error in a sentence
// when the folder holds no finished training of the task ("faults").
ComparedRun read_finished_run(const std::string& folder, const std::string& task, Schema& keys);
// The matrix, and what it gives: accuracy, macro_f1, mean_iou, and of each class iou_of() (NaN where it is absent).
void set_matrix(ComparedRun& run, const ConfusionMatrix& matrix);
std::string iou_of(const std::string& class_name);  // "IoU shale"

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
std::vector<ComparedMethod> group_runs(const std::vector<ComparedRun>& runs, const ComparisonRules& rules);
// Methods by their models' names, where those tell all of them apart.
void name_by_model(std::vector<ComparedMethod>& methods, const std::vector<ComparedRun>& runs);

// Error in a sentence when methods were not evaluated on the same items (by the union of their folds), or when two runs
// have other classes.
void check_comparable(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods);

// Of a figure over those runs of a method that have it.
Spread spread_of(const std::vector<ComparedRun>& runs, const ComparedMethod& method, const std::string& figure);
// The epochs until an aim, over those runs of a method that came to it.
Spread epochs_until(const std::vector<ComparedRun>& runs, const ComparedMethod& method, const std::string& figure,
                    double value);
// Of each figure the value that every run reached: what the run with the worst best came to. Figures that a run lacks
// are left out.
Aims aims_all_reached(const std::vector<ComparedRun>& runs, const std::vector<std::string>& figures);
// All runs of a method in one matrix.
ConfusionMatrix pooled(const std::vector<ComparedRun>& runs, const ComparedMethod& method);

}  // namespace kern::training
