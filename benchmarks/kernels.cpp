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
  add_algebra_timers(all, values);
  std::stable_sort(all.begin(), all.end(), [](const Timer& a, const Timer& b) { return a.op < b.op; });
  return all;
}

// The cases that the models' steps ask each registry for. A GPU may keep values as floats or as bf16.
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
      // A dry run asks for the same implementations, and computes nothing.
      foresee_peak(model_of(id), {.device = o.device, .batch = o.batch, .side = o.side});
      for (const auto& entry : log.entries()) cases[entry.registry].push_back(entry.spec);
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
  const auto place = [&](const Timer& t) { return std::find(o.ops.begin(), o.ops.end(), t.op) - o.ops.begin(); };
  Timers wanted = timers(o.large_values);
  if (!o.ops.empty()) {
    std::erase_if(wanted, [&](const Timer& t) { return place(t) == std::ssize(o.ops); });
    std::stable_sort(wanted.begin(), wanted.end(), [&](const Timer& a, const Timer& b) { return place(a) < place(b); });
  }
  const auto cases = cases_of(o);
  struct Asked {
    const Timer* timer;
    const std::any* spec;
    double weight;  // of all the times that the models ask for it
  };
  std::vector<Asked> all;
  for (const Timer& timer : wanted) {
    const auto first = std::ssize(all);
    const auto ask = [&](const std::any& spec, double weight) {
      const auto same =
          std::find_if(all.begin() + first, all.end(), [&](const Asked& a) { return timer.same(*a.spec, spec); });
      if (same == all.end()) all.push_back({&timer, &spec, weight});
      else same->weight += weight;
    };
    if (const auto found = cases.find(timer.registry); found != cases.end())
      for (const std::any& spec : found->second) ask(spec, timer.weight(spec));
    if (o.large)
      for (const std::any& spec : timer.large) ask(spec, 0);
  }
  std::stable_sort(all.begin(), all.end(), [](const Asked& a, const Asked& b) { return a.weight > b.weight; });
  for (const Asked& a : all) a.timer->time(*a.spec, o, show);
}

}  // namespace kern::benchmarks
