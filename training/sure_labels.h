// What fixmatch and unimatch share: labels where the network is sure of the weak view, and the loss of another view by
// them.
#pragma once
#include "engine/ops/pseudo_labels.h"
#include "training/method.h"

namespace kern::training {

struct SureLabels {
  PseudoLabels said;       // of the weak view
  bool one_logit = false;  // the network tells two classes apart by one
};
// The most probable class of the weak view where its probability exceeds the threshold; without gradient, in evaluation
// mode, which is training mode again afterwards. monotone: probabilities given that classes never go back along a signal.
SureLabels sure_labels(const AnyModule& network, const UnlabelledBatch& batch, double threshold, bool monotone);

// The cross entropy of a view by these labels, which move with it by `origin`: [1], the mean over all positions that
// take part, those without a label too, where it is 0. An empty view is the weak one.
Tensor sure_label_loss(const AnyModule& network, const SureLabels& labels, const UnlabelledBatch& batch,
                       const Tensor& view, const Tensor& origin);

}  // namespace kern::training
