// The task `anomalies`: good and bad images told apart by what good ones look like.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& anomalies_task();

}  // namespace kern::apps
