// `kern doctor`: what a report of a problem needs, and whether the program works here.
#pragma once
#include "apps/command.h"

namespace kern::apps {

struct DoctorConfig {
  bool check = true;
};
void describe_doctor(training::Schema& keys, DoctorConfig& config);
void run_doctor(const DoctorConfig& config, Call& call);

}  // namespace kern::apps
