// The verbs of no task: what concerns the program, or models of any task.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& program_task();

}  // namespace kern::apps
