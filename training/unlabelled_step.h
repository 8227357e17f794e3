// The step of a method that learns from unlabelled data too: on a GPU it is recorded once and replayed
// (engine/capture.h), and the host neither reads from the GPU nor writes to it in between. What changes from step to
// step, the weight of the unlabelled term, comes as an input.
#pragma once
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/capture.h"
#include "engine/rank_norms.h"
#include "training/method.h"
#include "training/rank_share.h"

namespace kern::training {

// The weight of an unlabelled term: exp(-5 (1 - t)^2) with t from 0 to 1 over the first `length` epochs, 1 afterwards
// (Laine and Aila 2017); 1 throughout when length is 0.
double ramp(double epochs, double length);

struct StepTerms {
  Tensor loss;                  // [1]
  std::vector<Tensor> figures;  // as StepFigures::pack takes them
};

// Of several ranks (training/rank_share.h).
struct AmongRanks {
  std::vector<float> class_weights = {};  // by which labels count
  bool sync_batch_norm = false;           // statistics over all ranks' samples (engine/rank_norms.h)
};

class UnlabelledStep {
 public:
  // The figures' names; the optimisers that the step updates.
  UnlabelledStep(Device device, std::vector<std::string> figures, std::vector<Optimiser*> optimisers,
                 const AmongRanks& ranks);

  // work(batches on the device, weight [1]) computes the gradients and applies the updates (apply_step, not step). Of
  // several ranks its loss, the terms of it and figures [1] are this rank's part of the whole batches' (part_of()).
  // `circumstances`: what else decides what it gives to the GPU.
  using Work = std::function<StepTerms(const LabelledBatch&, const UnlabelledBatch&, const Tensor& weight)>;
  StepResult run(const StepData& data, double weight, const Work& work, std::vector<int64_t> circumstances = {});

  // What f() computes of a batch with its whole; of several ranks batch norms may be over all their samples.
  template <class F>
  auto normed(const data::Whole& whole, const F& f) const {
    std::optional<RankNorms> norms;
    if (ranks_.sync_batch_norm) norms.emplace(!whole.lent);
    return f();
  }

  StepGraphs::Last last() const { return graphs_.last(); }  // how the last step was done

 private:
  Device device_;
  AmongRanks ranks_;
  std::vector<std::string> figures_;
  std::vector<Optimiser*> optimisers_;
  StepGraphs graphs_;
};

// The kernels of one update, for a work(); clip: limit of the gradient's norm, 0: none. The gradients of several ranks are
// summed before it.
void apply_update(Optimiser& optimiser, double clip);
// The backward pass of a loss that one optimiser's parameters are in, and their update: on the CPU the ranks' gradients are
// summed meanwhile.
void learn_from(const Tensor& loss, Optimiser& optimiser, double clip);

}  // namespace kern::training
