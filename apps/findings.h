// How an inspection ends, whatever was inspected.
#pragma once
#include <vector>

#include "apps/command.h"
#include "data/finding.h"

namespace kern::apps {

// Prints each with its remedy, and how many there are; the figures get `errors`, `warnings` and `notes`. With an error
// the exit code says that the input is to be mended.
void say_findings(const std::vector<data::Finding>& findings, Call& call);

}  // namespace kern::apps
