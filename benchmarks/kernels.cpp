#include "benchmarks/kernels.h"

#include <algorithm>

#include "benchmarks/kernel_timers.h"

namespace kern::benchmarks {
namespace {

Timers timers(int64_t values) {
  Timers all;
  add_product_timers(all, values);
  add_row_timers(all, values);
  add_loss_timers(all, values);
  add_elementwise_timers(all, values);
  return all;
}

}  // namespace

std::vector<std::string> timed_ops() {
  std::vector<std::string> names;
  for (const auto& [name, timer] : timers(KernelOptions{}.large_values)) names.push_back(name);
  return names;
}

void time_kernels(const KernelOptions& o, const std::function<void(const KernelResult&)>& show) {
  auto wanted = [&](const std::string& op) {
    return o.ops.empty() || std::find(o.ops.begin(), o.ops.end(), op) != o.ops.end();
  };
  std::map<std::string, std::vector<std::any>> cases;
  for (const std::string& id : o.models) {
    const SpecLog log;
    foresee_peak(model_of(id), {});  // a rehearsal asks for the same rows, and computes nothing
    for (const auto& entry : log.entries()) cases[entry.op].push_back(entry.spec);
  }
  for (const auto& [op, timer] : timers(o.large_values)) {
    if (!wanted(op)) continue;
    std::vector<std::any> seen;
    for (const std::any& spec : cases[op]) timer.time(spec, seen, o, show);
    if (o.large)
      for (const std::any& spec : timer.large) timer.time(spec, seen, o, show);
  }
}

}  // namespace kern::benchmarks
