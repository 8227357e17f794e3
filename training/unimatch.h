// UniMatch (Yang, Qi, Feng, Zhang and Shi 2023, https://arxiv.org/abs/2208.09910): FixMatch with two strong views of every
// image and a third view that is perturbed where the encoder hands over to the decoder.
//   q = softmax f(weak), without gradient and in evaluation mode;  c = 1 where max q > threshold, else 0
//   term(v) = mean over all positions of c CE(v, argmax q)
//   loss = CE(f(x), labels) + weight [term(f(strong 1)) / 4 + term(f(strong 2)) / 4 + term(f'(weak)) / 2]
// f' drops half of the channels that the encoder gives (layers/feature_dropout.h): networks for images do. The paper's
// CutMix is left out.
#pragma once
#include "training/unlabelled_step.h"

namespace kern::training {

struct UniMatchOptions {
  std::vector<float> class_weights;  // [K], of the labelled term; empty: all 1
  LabelledLoss loss = {};            // of the labelled term, instead of the cross entropy
  double clip = 0;
  double weight = 1;
  double threshold = 0.95;
  double feature_dropout = 0.5;
  bool sync_batch_norm = false;  // of several ranks
};

class UniMatch {
 public:
  UniMatch(AnyModule network, Optimiser& optimiser, const UniMatchOptions& options);
  StepResult step(const StepData& data);
  Parts parts() const { return {}; }
  // The loss of a step and its figures; the batches and the unlabelled term's weight [1] are on the network's device.
  StepTerms loss(const LabelledBatch& labelled, const UnlabelledBatch& unlabelled, const Tensor& weight);
  StepGraphs::Last last() const { return step_.last(); }

 private:
  AnyModule network_;
  Optimiser& optimiser_;
  UniMatchOptions options_;
  Tensor weights_;
  UnlabelledStep step_;
};

}  // namespace kern::training
