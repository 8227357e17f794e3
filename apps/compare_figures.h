// Trainings side by side by figures, for tasks that no confusion matrix measures: what each wrote of itself when it ended
// (result.json), or what it is found to be when it is evaluated again.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "training/comparison.h"
#include "training/config.h"
#include "training/report/html.h"
#include "training/report/report.h"

namespace kern::apps {

struct FinishedRun {
  std::string folder;
  training::Settings settings;
  std::map<std::string, std::vector<double>> numbers;     // of result.json, a number as a list of one; NaN for null
  std::map<std::string, std::vector<std::string>> words;  // the same of texts
  training::CsvTable metrics;                             // metrics.csv; empty: it has none

  double number(const std::string& name) const;       // NaN: it has none
  std::string word(const std::string& name) const;    // empty: it has none
  std::string setting(const std::string& key) const;  // empty: it has none
};
// `keys` are those of the task's train, bound to a configuration, which is the run's afterwards. Error in a sentence
// when the folder holds no finished training of the task ("faults").
FinishedRun read_finished_run(const std::string& folder, const std::string& task, training::Schema& keys);

// Runs that differ in their seed alone. Named by their model where that tells all methods apart, else by what differs.
struct FiguresMethod {
  std::string name;
  std::vector<const FinishedRun*> runs;
  training::Spread spread(const std::string& figure) const;  // over the runs that have it
};
std::vector<FiguresMethod> methods_of(const std::vector<FinishedRun>& runs, const training::ComparisonRules& rules);

struct ShownFigure {
  std::string name, shown;  // in the file, for a person
  int decimals = 3;
  training::HtmlTable::Best best = training::HtmlTable::Best::highest;
};
training::HtmlTable::Cell spread_cell(const training::Spread& spread, int decimals = 3);
// A row a method, numbered and coloured as in the charts: mean and deviation of each figure.
training::HtmlTable table_of_methods(const std::vector<FiguresMethod>& methods,
                                     const std::vector<ShownFigure>& figures);
// A row a run: its seed, its `details` (texts or numbers) and its figures.
training::HtmlTable table_of_runs(const std::vector<FiguresMethod>& methods, const std::vector<std::string>& details,
                                  const std::vector<ShownFigure>& figures);
// A line a method: method,runs and each figure with its deviation.
std::string csv_of_methods(const std::vector<FiguresMethod>& methods, const std::vector<ShownFigure>& figures);

}  // namespace kern::apps
