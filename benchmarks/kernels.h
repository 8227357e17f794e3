// Every implementation of every op on the shapes that the timed models contain, and the memory-bound ones on arrays far beyond the
// caches.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/machine.h"
#include "benchmarks/steps.h"

namespace kern::benchmarks {

struct KernelOptions {
  Device device = Device::cpu;
  std::vector<std::string> models, ops, impls;  // empty ops and implementations: all
  int batch = 0, side = 0;                      // of the models; 0: what is usual for each
  bool large = true;                            // the memory-bound ops on large arrays too
  bool reference = false;                       // the reference implementations too, which are slow
  int repeats = 20;
  int64_t large_values = int64_t{1} << 25;  // of a large array: 128 MiB
  const Yardstick* yardstick = nullptr;     // measures the machine beside every case
  // Before an implementation is timed on a case: whether it shall be. `end` after its last direction was shown.
  std::function<bool(const std::string& op, const std::string& shape, const std::string& impl)> begin = {};
  std::function<void()> end = {};
};
struct KernelResult {
  std::string op, shape, impl, direction;
  double flops = 0, bytes = 0;  // of one call
  Quartiles milliseconds;
  Machine machine = {};  // beside this case, medians; 0 without a yardstick, copy also where the case fits the caches
};
// Calls `show` for each result as it comes: sums of products of the models first, by what they weigh in the models'
// steps, then the other ops in the order of `ops` or of the alphabet, each with its large cases. Errors: an unknown op
// or model; an implementation whose output is not finite.
void time_kernels(const KernelOptions& options, const std::function<void(const KernelResult&)>& show);
std::vector<std::string> timed_ops();

}  // namespace kern::benchmarks
