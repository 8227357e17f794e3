// Every row of every op on the shapes that the timed models contain, and the memory-bound ones on arrays far beyond the
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
  std::vector<std::string> models, ops, rows;  // empty ops and rows: all
  bool large = true;                           // the memory-bound ops on large arrays too
  bool reference = false;                      // the reference rows too, which are slow
  int repeats = 20;
  int64_t large_values = int64_t{1} << 25;  // of a large array: 128 MiB
  const Yardstick* yardstick = nullptr;     // measures the machine beside every case
};
struct KernelResult {
  std::string op, shape, row, direction;
  double flops = 0, bytes = 0;  // of one call
  Quartiles milliseconds;
  Machine machine = {};  // beside this case, medians; 0 without a yardstick, copy also where the case fits the caches
};
// Calls `show` for each result as it comes. Errors: an unknown op or model; a row whose output is not finite.
void time_kernels(const KernelOptions& options, const std::function<void(const KernelResult&)>& show);
std::vector<std::string> timed_ops();

}  // namespace kern::benchmarks
