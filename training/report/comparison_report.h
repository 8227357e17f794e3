// report.html of several trainings side by side.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "training/comparison.h"
#include "training/report/html.h"
#include "training/report/report.h"

namespace kern::training {

struct Comparison {
  std::vector<ComparedRun> runs;
  std::vector<ComparedMethod> methods;  // of group_runs; the first is what others are held against
  std::vector<std::pair<std::string, std::vector<ConfusionMatrix>>> baselines;  // each over one or more runs
  std::vector<std::string> curves{"mean_iou", "val_loss"};  // columns of metrics.csv, each a chart of all runs
  Aims reach;  // how soon each method came to these; empty: to what every run reached of the curves
  std::vector<HtmlDocument::Panel> panels;  // the same items under each method
  std::string item = "wells";
  std::vector<std::pair<std::string, std::string>> facts;
};

// How a method is marked in tables and charts, by its place.
std::string method_colour(size_t method);
std::string method_number(size_t method);
// A column of metrics.csv by epoch, of all runs of each method; nothing where no run has it.
void add_curve(Report& report, const std::vector<std::vector<const CsvTable*>>& methods, const std::string& figure);

// `epochs_to`, or what every run reached of the curves.
Aims aims_of(const Comparison& content);

// report.html, figures/ and comparison.csv into the folder; returns the report's path.
std::filesystem::path write_comparison_report(const std::filesystem::path& folder, const Comparison& content);

}  // namespace kern::training
