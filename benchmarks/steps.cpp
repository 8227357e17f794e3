#include "benchmarks/steps.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "engine/capture.h"
#include "engine/dry_run.h"
#include "engine/random.h"
#include "engine/statistics.h"
#include "layers/prepare.h"
#include "training/optimiser.h"
#include "training/step_memory.h"

namespace kern::benchmarks {
namespace {
double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A model with its data and, to be trained, its optimiser.
class Steps {
 public:
  Steps(const Model& model, const StepOptions& o)
      : case_(model.make({o.batch, o.side})), graphs_(o.device), profiled_(o.profile) {
    case_.move_to(o.device);
    case_.network.set_training(!o.predict);
    if (o.predict && o.prepared) case_.network = prepare(case_.network, Preparation(false));
    if (!o.predict)
      optimiser_.emplace(training::parameter_groups(case_.network, {}), AdamOptions{}, 1e-3);  // but what is frozen
  }
  int64_t parameter_count() const { return case_.network.parameter_count(); }
  void step() {
    losses_.clear();
    if (optimiser_) optimiser_->prepare_step();
    const StepGraphs::Work work = [this](const std::vector<Tensor>&) { return work_of_step(); };
    // The data stay where they are: a step has no inputs. What ops take is told by code that runs.
    losses_ = profiled_ ? work({}) : graphs_.run({}, work);
    default_generator().advance();
  }
  double wait() {  // for the step before; its loss, 0 in prediction
    if (!losses_.empty()) return double(losses_[0].item());
    if (!in_dry_run()) wait_for(case_.x.device());
    return 0;
  }

 private:
  std::vector<Tensor> work_of_step() {
    if (!optimiser_) {
      NoGrad off;
      case_.network(case_.x);
      return {};
    }
    const Tensor loss = case_.loss(case_.network, case_.x, case_.target);
    backward(loss);
    optimiser_->apply_step();
    return {loss};
  }
  Case case_;
  std::optional<training::Optimiser> optimiser_;
  StepGraphs graphs_;
  std::vector<Tensor> losses_;
  bool profiled_;
};
}  // namespace

Quartiles quartiles(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const auto at = [&](double q) { return quantile_of_sorted(v, q); };
  return {at(0.25), at(0.5), at(0.75), at(0)};
}

size_t foresee_peak(const Model& model, const StepOptions& o) {
  std::optional<Steps> steps;
  return training::memory_of_step(
             [&] {
               if (!steps) steps.emplace(model, o);
               steps->step();
               steps->wait();
             },
             o.device)
      .peak;
}

void run_steps(const Model& model, const StepOptions& o, int count) {
  set_seed(uint64_t(o.seed));
  Steps steps(model, o);
  for (int i = 0; i < count; ++i) steps.step();
}

StepResult time_steps(const Model& model, const StepOptions& o) {
  StepResult result{.id = model.id, .foreseen_bytes = foresee_peak(model, o)};
  set_seed(uint64_t(o.seed));
  reset_peak_memory(o.device);
  Steps steps(model, o);
  result.parameters = steps.parameter_count();
  uint64_t allocations = 0;
  for (int i = 0; i < std::max(2, o.warmup); ++i) {
    steps.step();
    result.loss = steps.wait();
    if (i == 1) allocations = memory_counters(o.device).allocations;
  }
  std::optional<Profile> profile;
  if (o.profile) profile.emplace(o.by_shape);
  for (int i = 0; i < o.repeats; ++i) {
    if (profile) profile->start_clock();
    const double begin = now_ms();
    for (int j = 0; j < o.block; ++j) steps.step();
    result.loss = steps.wait();
    result.milliseconds.push_back((now_ms() - begin) / o.block);
  }
  result.late_allocations = memory_counters(o.device).allocations - allocations;
  result.peak_bytes = memory_counters(o.device).peak;
  if (profile) {
    result.profile.assign(profile->rows().begin(), profile->rows().end());
    std::stable_sort(result.profile.begin(), result.profile.end(),
                     [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  }
  return result;
}

}  // namespace kern::benchmarks
