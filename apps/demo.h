// `kern demo`: from nothing to a trained model, its report and predictions, by the commands that a user would give.
#pragma once
#include <string>

#include "apps/command.h"

namespace kern::apps {

struct DemoConfig {
  std::string out = "kern_demo";
  int64_t wells = 120;
  int epochs = 24;
  bool quiet = false;
};
void describe_demo(training::Schema& keys, DemoConfig& config);
void run_demo(const DemoConfig& config, Call& call);

}  // namespace kern::apps
