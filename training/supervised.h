// Supervised segmentation: cross entropy between the logits and the labels, backward, update. Signals and images alike.
// Of several ranks each computes its part of a batch; the gradients' sum over ranks makes the update (training/rank_share.h).
#pragma once
#include <functional>
#include <vector>

#include "engine/capture.h"
#include "training/method.h"

namespace kern::training {

struct SupervisedOptions {
  std::vector<float> class_weights;  // [K]; empty: all 1
  double clip = 0;                   // limit of the gradient's norm; 0: none
  int accumulate = 1;                // batches that make one update
  LabelledLoss loss;                 // instead of the cross entropy
  bool sync_batch_norm = false;      // of several ranks: statistics over all their samples (engine/rank_norms.h)
};

class Supervised {
 public:
  Supervised(AnyModule network, Optimiser& optimiser, SupervisedOptions options);
  // One update from up to `accumulate` batches: next() gives them, an empty x ends the epoch early. On a GPU the step
  // is recorded and replayed (engine/capture.h), and nobody waits for it.
  StepResult step(const std::function<LabelledBatch()>& next);
  StepResult step(const StepData& data) { return step(data.labelled); }
  Parts parts() const { return {}; }

  StepGraphs::Last last() const { return graphs_.last(); }  // how the last step was done

 private:
  StepResult step_at_once(const std::function<LabelledBatch()>& next);
  StepResult step_recorded(const std::function<LabelledBatch()>& next);
  // The loss, [1]; what backward gives, times `factor` [1], is added to the gradients.
  Tensor forward_backward(const Tensor& x, const Tensor& labels, const Tensor& factor) const;
  // A batch's factor in the gradient of the update: one of `accumulate`, and of several ranks this one's share.
  Tensor factor_of(double share, Device device) const;
  void apply_update();
  AnyModule network_;
  Optimiser& optimiser_;
  SupervisedOptions options_;
  Tensor weights_;
  StepGraphs graphs_;
};

}  // namespace kern::training
