// Trainings side by side: the tables and charts that every task's comparison is made of, and the whole report.html of
// segmentations.
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

// A figure that a table shows of every run and method.
struct ShownFigure {
  std::string name, shown;  // in ComparedRun::numbers, for a person
  int decimals = 3;
  HtmlTable::Best best = HtmlTable::Best::highest;
  std::string column = {};  // in comparison.csv; empty: its name
};
HtmlTable::Cell spread_cell(const Spread& spread, int decimals = 3);
// A row a method, numbered and coloured as in the charts: mean and deviation of each figure.
HtmlTable table_of_methods(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                           const std::vector<ShownFigure>& figures);
// A row a run: its seed, its `details` (texts or numbers of result.json) and its figures.
HtmlTable table_of_runs(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                        const std::vector<std::string>& details, const std::vector<ShownFigure>& figures);
// A line a method: method,runs and each figure with its deviation, then the mere means of further figures.
std::string csv_of_methods(const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
                           const std::vector<ShownFigure>& figures, const std::vector<std::string>& means = {});

// How a method is marked in tables and charts, by its place.
std::string method_colour(size_t method);
std::string method_number(size_t method);
// A column of metrics.csv by epoch, of all runs of each method; nothing where no run has it.
void add_curve(Report& report, const std::vector<ComparedRun>& runs, const std::vector<ComparedMethod>& methods,
               const std::string& figure);

// `epochs_to`, or what every run reached of the curves.
Aims aims_of(const Comparison& content);

// report.html, figures/ and comparison.csv into the folder; returns the report's path.
std::filesystem::path write_comparison_report(const std::filesystem::path& folder, const Comparison& content);

}  // namespace kern::training
