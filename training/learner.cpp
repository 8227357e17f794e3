#include "training/learner.h"

#include <fmt/format.h>

namespace kern::training {

Learner::Learner(const AnyModule& network, const Recipe& recipe, std::vector<ParameterGroup> groups,
                 int64_t updates_in_epoch)
    : optimiser(recipe.make_optimiser(std::move(groups))),
      schedule(recipe.make_schedule(updates_in_epoch)),
      network_(network),
      updates_in_epoch_(updates_in_epoch),
      decay_(recipe.ema) {
  if (decay_ > 0) ema.emplace(optimiser, EmaOptions{.decay = decay_});
}

Training Learner::training(const Parts& parts) {
  Training t;
  t.models = {{"model", network_}};
  t.optimisers = {{"optimiser", &optimiser}};
  if (ema) t.averages = {{"ema", &*ema}};
  const auto take = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  take(t.models, parts.models);
  take(t.optimisers, parts.optimisers);
  take(t.averages, parts.averages);
  t.schedule = &schedule;
  t.steps_in_epoch = [n = updates_in_epoch_](int) { return n; };
  if (ema) t.identity["average of the weights"] = fmt::format("ema={}", decay_);
  return t;
}

}  // namespace kern::training
