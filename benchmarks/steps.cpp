#include "benchmarks/steps.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/random.h"
#include "training/optimiser.h"

namespace kern::benchmarks {
namespace {
double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
}  // namespace

Quartiles quartiles(std::vector<double> v) {
  internal_check(!v.empty(), "quartiles of nothing");
  std::sort(v.begin(), v.end());
  auto at = [&](double share) {  // linear between neighbours
    const double place = share * double(v.size() - 1);
    const size_t below = size_t(place), above = std::min(below + 1, v.size() - 1);
    return v[below] + (place - double(below)) * (v[above] - v[below]);
  };
  return {at(0.25), at(0.5), at(0.75), v.front()};
}

StepResult time_steps(const Model& model, const StepOptions& o) {
  set_seed(uint64_t(o.seed));
  const Case c = model.make(o.batch);
  StepResult result{.id = model.id, .parameters = c.network.parameter_count()};
  c.network.set_training(!o.predict);
  std::optional<training::Optimiser> optimiser;
  if (!o.predict)
    optimiser.emplace(std::vector<training::ParameterGroup>{{.parameters = c.network.parameters()}}, AdamOptions{},
                      1e-3);
  auto step = [&] {
    if (o.predict) {
      NoGrad off;
      c.network(c.x);
      return;
    }
    const Tensor loss = c.loss(c.network(c.x));
    backward(loss);
    optimiser->step();
    result.loss = double(loss.item());
    default_generator().advance();
  };
  uint64_t allocations = 0;
  reset_peak_memory();
  for (int i = 0; i < std::max(2, o.warmup); ++i) {
    step();
    if (i == 1) allocations = memory_counters().allocations;
  }
  std::optional<Profile> profile;
  if (o.profile) profile.emplace(o.by_shape);
  for (int i = 0; i < o.repeats; ++i) {
    if (profile) profile->start_clock();
    const double begin = now_ms();
    step();
    result.milliseconds.push_back(now_ms() - begin);
  }
  result.late_allocations = memory_counters().allocations - allocations;
  result.peak_bytes = memory_counters().peak;
  if (profile) {
    result.profile.assign(profile->rows().begin(), profile->rows().end());
    std::stable_sort(result.profile.begin(), result.profile.end(),
                     [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  }
  return result;
}

}  // namespace kern::benchmarks
