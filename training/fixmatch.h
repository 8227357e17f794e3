// FixMatch (Sohn et al. 2020): where the network is sure of the weak view, the strong view must get the same label.
//   q = softmax f(weak), without gradient and in evaluation mode;  c = 1 where max q > threshold, else 0
//   loss = CE(f(x), labels) + weight mean over all positions of c CE(f(strong), argmax q)
#pragma once
#include "training/unlabelled_step.h"

namespace kern::training {

struct FixMatchOptions {
  std::vector<float> class_weights;  // [K], of the labelled term; empty: all 1
  LabelledLoss loss = {};            // of the labelled term, instead of the cross entropy
  double clip = 0;
  double weight = 1;
  double threshold = 0.95;
  bool monotone = false;         // q are probabilities given that classes never go back along a signal
  bool sync_batch_norm = false;  // of several ranks
};

class FixMatch {
 public:
  FixMatch(AnyModule network, Optimiser& optimiser, const FixMatchOptions& options);
  StepResult step(const StepData& data);
  Parts parts() const { return {}; }
  // The loss of a step and its figures; the batches and the unlabelled term's weight [1] are on the network's device.
  StepTerms loss(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, const Tensor& weight);
  StepGraphs::Last last() const { return step_.last(); }

 private:
  AnyModule network_;
  Optimiser& optimiser_;
  FixMatchOptions options_;
  Tensor weights_;
  UnlabelledStep step_;
};

}  // namespace kern::training
