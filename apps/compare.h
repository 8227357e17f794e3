// What every `compare` verb does around its own task's evaluating, and what its study says of its runs.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "apps/command.h"
#include "training/machine.h"
#include "training/report/comparison_report.h"
#include "training/run_folder.h"

namespace kern::apps {

struct CompareConfig {
  std::vector<std::string> runs;
  std::string out = "runs/comparison", data;
  int shown = 8;
  training::Aims reach;
  training::Machine machine;
};
// `things` are what runs are evaluated on: "wells", "images".
void describe_comparison(training::Schema& keys, CompareConfig& config, const std::string& things);

// Of configurations of a task's `train`, whose keys `silent` change nothing either.
training::ComparisonRules comparison_rules(const std::string& things, std::set<std::string> silent = {});

// How a run did when it was evaluated again on those items. How much was labelled is the figure `labelled` of its
// result.json, or `otherwise` in runs without it.
void set_evaluation(training::ComparedRun& run, const training::ConfusionMatrix& matrix,
                    const std::vector<std::string>& evaluated, const std::string& labelled, int64_t otherwise);

// Groups the runs by their settings, and checks that they can be compared.
void group(training::Comparison& comparison, const training::ComparisonRules& rules);

// Writes the report into the folder, and says the figures of each method.
void report_comparison(const training::Comparison& comparison, const training::RunFolder& out);
// The whole verb, once the task has made the comparison.
void finish_comparison(const training::Comparison& comparison, const std::string& out, Call& call);

}  // namespace kern::apps
