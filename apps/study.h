// A study: every combination of lists of values for the keys of a task's training, each trained as a run of its own,
// and one table over them. It knows no task and no method: it sets keys, runs the verb and reads its figures.
//
//   base: configs/wells.yaml              # or the keys themselves: {data: ..., label: FACIES}
//   run: runs/study
//   vary:
//     method: [supervised, fixmatch]
//     labelled_fraction: [0.125, 1]
//     seed: [1, 2, 3]
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "apps/command.h"
#include "training/comparison.h"
#include "training/run_folder.h"

namespace kern::apps {

struct StudyConfig {
  training::Value base;
  std::vector<std::pair<std::string, training::Value>> vary;
  std::string run = "runs/study";
};
void describe_study(training::Schema& keys, StudyConfig& config);

// Of a task that offers studies.
struct StudyOf {
  std::string command;  // "wells train"
  Verb train;
  training::ComparisonRules rules;
  std::vector<std::string> figures;  // of result.json, for the printed table
  // Compares finished runs in a report in that folder.
  std::function<void(const std::vector<std::string>& runs, const training::RunFolder& out)> compare;
};
// Finished runs are left as they are, interrupted ones go on; Ctrl-C and a file named stop end the study after saving.
// A training that fails is named, the others go on; the exit code then is 1. Writes study.csv.
void run_study(const StudyConfig& config, const StudyOf& of, Call& call);

}  // namespace kern::apps
