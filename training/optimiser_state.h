// What a recipe makes of a network: the optimiser, its schedule and the average of the weights, if it wants one.
#pragma once
#include <optional>
#include <vector>

#include "training/ema.h"
#include "training/loop.h"
#include "training/method.h"
#include "training/recipe.h"

namespace kern::training {

class OptimiserState {
 public:
  // The network must be where it computes already.
  OptimiserState(const AnyModule& network, const Recipe& recipe, std::vector<ParameterGroup> groups,
                 int64_t updates_in_epoch);
  OptimiserState(const OptimiserState&) = delete;

  Optimiser optimiser;
  Schedule schedule;
  std::optional<Ema> ema;

  // A training of these and of what a method brings besides: what remains to be said is where batches and steps come
  // from, how to validate and save, and the identity (which holds the average already).
  Training training(const Parts& parts = {});

 private:
  AnyModule network_;
  int64_t updates_in_epoch_;
  double decay_;
};

// Before a training: a warning where all its updates together are too few for a network to learn from.
void warn_of_few_updates(const Recipe& recipe, int64_t updates_in_epoch);

}  // namespace kern::training
