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
  std::string curve = "mean_iou";           // column of metrics.csv for the chart of all runs
  std::vector<HtmlDocument::Panel> panels;  // the same items under each method
  std::string item = "wells";
  std::vector<std::pair<std::string, std::string>> facts;
};

// report.html, figures/ and comparison.csv into the folder; returns the report's path.
std::filesystem::path write_comparison_report(const std::filesystem::path& folder, const Comparison& content);

}  // namespace kern::training
