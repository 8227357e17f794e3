// kern bench: how fast this machine trains, and where the time goes. What is timed stands in benchmarks/.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& bench_task();

}  // namespace kern::apps
