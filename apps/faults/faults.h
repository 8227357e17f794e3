// `kern faults`: faults in seismic sections and volumes.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& faults_task();

}  // namespace kern::apps
