// The task `wells`: facies of 1-D well logs.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& wells_task();

}  // namespace kern::apps
