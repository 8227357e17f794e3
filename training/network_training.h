// The training of a network, whatever it is trained for: its recipe, its method and its batches, put together for the
// loop. A task states its network and what its batches are, how it validates and what its model file is; what happens
// in a step stands below it, on one page:
//
//   run_loop (training/loop.cpp)
//     NetworkTraining::step
//       StepSource::next     batches of (epoch, index)                        training/step_loaders.h
//       Method::step         forward, loss, backward, update                  training/method.h, training/supervised.h
//     Ema::update            the average of the weights, if there is one
//
//   NetworkTraining training({.network = model.module, .recipe = c.recipe, .method = c.method},
//                            std::make_unique<StepLoaders<data::ImageBatches>>(...));
//   const StepMemory foreseen = training.announce("a smaller size");
//   Training t = training.for_loop();
//   t.validate = ..., t.save_model = ..., t.identity.insert(...);
//   carry_out(run, c.recipe, t, ...);                                         // apps/training_run.h
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "training/ema.h"
#include "training/loop.h"
#include "training/methods.h"
#include "training/step_loaders.h"
#include "training/step_memory.h"

namespace kern::training {

struct TrainedNetwork {
  AnyModule network;  // where it computes already
  Recipe recipe;
  MethodRecipe method = {};               // supervised, where a task has no other
  std::vector<float> class_weights = {};  // [K]; empty: all 1
  LabelledLoss loss = {};                 // of labelled batches; empty: cross entropy by the class weights
  std::vector<PathRate> rates = {};       // parts with learning rates of their own
  // Further networks that a method may need, wherever they are made: one more of its kind, a discriminator by name.
  std::function<AnyModule()> another = {};
  std::function<AnyModule(const std::string& name)> discriminator = {};
};

class NetworkTraining {
 public:
  NetworkTraining(TrainedNetwork what, std::unique_ptr<StepSource> batches);
  NetworkTraining(const NetworkTraining&) = delete;

  // One update: the batches of (epoch, index) through the method.
  StepResult step(int epoch, int64_t index);
  // What a step needs, with batches of so many samples, found by a dry run of it; errors of the step come out.
  StepMemory foresee(int64_t labelled, int64_t unlabelled);
  // Before the first step: warns where all updates together are too few to learn from, and says what a step needs, or
  // why there is no room for it (announce_memory).
  StepMemory announce(std::string_view otherwise, size_t data = 0);
  // What the loop asks for but for validate, save_model and the rest of the identity, which holds the average already.
  Training for_loop();

  int64_t steps() const { return batches_->steps(); }  // updates of an epoch
  // The share of all steps' time in which they waited for their batches; 0 before the first.
  double data_wait_share() const { return steps_took_ > 0 ? waited_ / steps_took_ : 0; }

 private:
  TrainedNetwork what_;
  std::unique_ptr<StepSource> batches_;
  Optimiser optimiser_;
  Schedule schedule_;
  std::optional<Ema> ema_;
  Method method_;
  std::vector<Tensor> statistics_;      // of several ranks: what each moves by its own samples
  double waited_ = 0, steps_took_ = 0;  // seconds
};

}  // namespace kern::training
