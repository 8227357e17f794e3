#include "training/optimiser_state.h"

#include <fmt/format.h>

#include "kernels/common/log.h"

namespace kern::training {

OptimiserState::OptimiserState(const AnyModule& network, const Recipe& recipe, std::vector<ParameterGroup> groups,
                               int64_t updates_in_epoch)
    : optimiser(recipe.make_optimiser(std::move(groups))),
      schedule(recipe.make_schedule(updates_in_epoch)),
      network_(network),
      updates_in_epoch_(updates_in_epoch),
      decay_(recipe.ema) {
  if (decay_ > 0) ema.emplace(optimiser, EmaOptions{.decay = decay_});
}

void warn_of_few_updates(const Recipe& recipe, int64_t updates_in_epoch) {
  constexpr int64_t kFew = 200;
  const int64_t all = updates_in_epoch * recipe.epochs;
  if (all >= kFew || updates_in_epoch <= 0 || recipe.time_budget.seconds > 0) return;
  warn(updates_in_epoch, updates_in_epoch == 1 ? " update" : " updates", " an epoch make ", all,
       " in all, and networks learn little from so few: epochs=", (kFew + updates_in_epoch - 1) / updates_in_epoch,
       recipe.batch > 1 ? " or a smaller batch=" : "", " would make ", kFew);
}

Training OptimiserState::training(const Parts& parts) {
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
