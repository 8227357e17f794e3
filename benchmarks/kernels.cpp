#include "benchmarks/kernels.h"

#include <algorithm>
#include <map>

#include "benchmarks/kernel_timers.h"
#include "kernels/common/precision.h"

namespace kern::benchmarks {
namespace {

Timers timers(int64_t values) {
  Timers all;
  add_product_timers(all, values);
  add_row_timers(all, values);
  add_loss_timers(all, values);
  add_elementwise_timers(all, values);
  std::stable_sort(all.begin(), all.end(), [](const Timer& a, const Timer& b) { return a.op < b.op; });
  return all;
}

// The cases that the models' steps ask each table for. A card may keep values as floats or as bf16.
std::map<const void*, std::vector<std::any>> cases_of(const KernelOptions& o) {
  std::map<const void*, std::vector<std::any>> cases;
  struct Restored {
    const Precision before = precision();
    ~Restored() { set_precision(before); }
  } restored;
  for (const Precision p : {Precision::f32, Precision::bf16}) {
    if (p == Precision::bf16 && o.device == Device::cpu) break;
    set_precision(p);
    for (const std::string& id : o.models) {
      const SpecLog log;
      foresee_peak(model_of(id), {.device = o.device});  // a rehearsal asks for the same rows, and computes nothing
      for (const auto& entry : log.entries()) cases[entry.table].push_back(entry.spec);
    }
  }
  return cases;
}

}  // namespace

std::vector<std::string> timed_ops() {
  std::vector<std::string> names;
  for (const Timer& timer : timers(KernelOptions{}.large_values))
    if (names.empty() || names.back() != timer.op) names.push_back(timer.op);
  return names;
}

void time_kernels(const KernelOptions& o, const std::function<void(const KernelResult&)>& show) {
  auto wanted = [&](const std::string& op) {
    return o.ops.empty() || std::find(o.ops.begin(), o.ops.end(), op) != o.ops.end();
  };
  auto cases = cases_of(o);
  for (const Timer& timer : timers(o.large_values)) {
    if (!wanted(timer.op)) continue;
    std::vector<std::any> seen;
    for (const std::any& spec : cases[timer.table]) timer.time(spec, seen, o, show);
    if (o.large)
      for (const std::any& spec : timer.large) timer.time(spec, seen, o, show);
  }
}

}  // namespace kern::benchmarks
