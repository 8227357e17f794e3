// Finished trainings side by side, and studies of many.
#pragma once
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/study.h"
#include "training/comparison.h"
#include "training/machine.h"
#include "training/run_folder.h"

namespace kern::apps {

struct CompareConfig {
  std::vector<std::string> runs;
  std::string out = "runs/comparison", data;
  int report_wells = 8;
  training::Machine machine;
};
void describe_compare(training::Schema& keys, CompareConfig& config);

void run_compare(const CompareConfig& config, Call& call);
void run_wells_study(const StudyConfig& config, Call& call);

}  // namespace kern::apps
