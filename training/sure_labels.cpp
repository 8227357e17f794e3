#include "training/sure_labels.h"

#include "engine/ops/labels.h"
#include "engine/ops/monotone_posteriors.h"
#include "engine/ops/mul.h"
#include "engine/ops/softmax.h"
#include "layers/head_loss.h"

namespace kern::training {

SureLabels sure_labels(const AnyModule& network, const UnlabelledBatch& u, double threshold, bool monotone) {
  const NoGrad off;
  network.set_training(false);
  const Tensor logits = network(u.x);
  Tensor q = softmax(class_logits(logits));
  network.set_training(true);
  if (monotone) q = monotone_posteriors(q, u.present);
  return {pseudo_labels(q, u.present, u.truth, threshold), logits.dim(-1) == 1};
}

Tensor sure_label_loss(const AnyModule& network, const SureLabels& sure, const UnlabelledBatch& u, const Tensor& view,
                       const Tensor& origin) {
  const Tensor target = move_labels(sure.said.labels, origin);
  const Tensor& x = view ? view : u.x;
  const Tensor entropy =
      sure.one_logit ? cross_entropy(class_logits(network(x)), target) : cross_entropy_of(network, x, target);
  // The cross entropy averages over positions that have a label; the methods do over all.
  const Tensor labelled = one_hot(relabel(target, 0), 1);
  return mul(entropy, labelled_mean(labelled, move_labels(u.present, origin)).mean);
}

}  // namespace kern::training
