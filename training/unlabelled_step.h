// The step of a method that learns from unlabelled data too: on a GPU it is recorded once and replayed
// (engine/capture.h), and the host neither reads from the GPU nor writes to it in between. What changes from step to
// step, the weight of the unlabelled term, comes as an input.
#pragma once
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine/capture.h"
#include "training/method.h"

namespace kern::training {

// The weight of an unlabelled term: exp(-5 (1 - t)^2) with t from 0 to 1 over the first `length` epochs, 1 afterwards
// (Laine and Aila 2017); 1 throughout when length is 0.
double ramp(double epochs, double length);

struct StepTerms {
  Tensor loss;                  // [1]
  std::vector<Tensor> figures;  // as StepFigures::pack takes them
};

class UnlabelledStep {
 public:
  // The figures' names; the optimisers that the step updates.
  UnlabelledStep(Device device, std::vector<std::string> figures, std::vector<Optimiser*> optimisers);

  // work(batches on the device, weight [1]) computes the gradients and applies the updates (apply_step, not step).
  // `circumstances`: what else decides what it gives to the GPU.
  using Work = std::function<StepTerms(const LabelledBatch&, const UnlabelledBatch&, const Tensor& weight)>;
  StepResult run(const StepData& data, double weight, const Work& work, std::vector<int64_t> circumstances = {});

  StepGraphs::Last last() const { return graphs_.last(); }  // how the last step was done

 private:
  Device device_;
  std::vector<std::string> figures_;
  std::vector<Optimiser*> optimisers_;
  StepGraphs graphs_;
};

// The kernels of one update, for a work(); clip: limit of the gradient's norm, 0: none.
void apply_update(Optimiser& optimiser, double clip);

}  // namespace kern::training
