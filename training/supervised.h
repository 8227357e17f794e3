// Supervised segmentation: cross entropy between the logits and the labels, backward, update. Signals and images alike.
#pragma once
#include <functional>
#include <vector>

#include "training/loop.h"

namespace kern::training {

struct LabelledBatch {
  Tensor x;       // [N,L,C] or [N,H,W,C]
  Tensor labels;  // i32, [N,L] or [N,H,W]; -1 takes no part
};

struct SupervisedOptions {
  std::vector<float> class_weights;  // [K]; empty: all 1
  double clip = 0;                   // limit of the gradient's norm; 0: none
  int accumulate = 1;                // batches that make one update
  // network, x, labels -> loss [1]; empty: cross entropy by the class weights.
  std::function<Tensor(const AnyModule&, const Tensor&, const Tensor&)> loss;
};

class Supervised {
 public:
  Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options);
  // One update from up to `accumulate` batches: next() gives them, an empty x ends the epoch early.
  StepResult step(const std::function<LabelledBatch()>& next);

 private:
  AnyModule network_;
  Optimiser& optimiser_;
  SupervisedOptions options_;
  Tensor weights_;
};

}  // namespace kern::training
