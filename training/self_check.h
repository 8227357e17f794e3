// Whether this program computes, writes and reads on this machine as it should: a few seconds' work on small cases.
#pragma once
#include <string>
#include <vector>

namespace kern::training {

struct SelfCheck {
  std::string name;     // "threads give equal bits"
  std::string problem;  // a sentence; empty: all is well
};
// In this order: kernels against their references, a training twice and on one thread, a model file, the temporary
// folder. Whatever a check throws is its problem.
std::vector<SelfCheck> self_check();

}  // namespace kern::training
