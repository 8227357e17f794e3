#include "training/fixmatch.h"

#include "engine/ops/add.h"
#include "engine/ops/labels.h"
#include "engine/ops/monotone_posteriors.h"
#include "engine/ops/mul.h"
#include "engine/ops/pseudo_labels.h"
#include "engine/ops/softmax.h"
#include "layers/head_loss.h"

namespace kern::training {
namespace {

// The share of the positions that take part in `present` which have a label, [1].
Tensor labelled_share(const Tensor& labels, const Tensor& present) {
  return labelled_mean(one_hot(relabel(labels, 0), 1), present).mean;
}

}  // namespace

FixMatch::FixMatch(AnyModule network, Optimiser& optimiser, const FixMatchOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())),
      step_(network_.device(), {"loss_labelled", "loss_unlabelled", "confident", "pseudo_accuracy"}, {&optimiser}) {}

StepTerms FixMatch::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  PseudoLabels said;
  bool one_logit = false;
  {
    const NoGrad off;
    network_.set_training(false);
    const Tensor logits = network_(u.x);
    one_logit = logits.dim(-1) == 1;
    Tensor q = softmax(class_logits(logits));
    network_.set_training(true);
    if (options_.monotone) q = monotone_posteriors(q, u.present);
    said = pseudo_labels(q, u.present, u.truth, options_.threshold);
  }
  const Tensor labelled = labelled_loss(options_.loss, network_, l, weights_);
  // The cross entropy averages over positions that have a label; the method does over all.
  const Tensor target = move_labels(said.labels, u.origin);
  const Tensor& strong = u.strong ? u.strong : u.x;
  const Tensor entropy =
      one_logit ? cross_entropy(class_logits(network_(strong)), target) : cross_entropy_of(network_, strong, target);
  const Tensor unlabelled = mul(entropy, labelled_share(target, move_labels(u.present, u.origin)));
  return {add(labelled, mul(unlabelled, weight)), {labelled, unlabelled, said.share, said.accuracy}};
}

StepResult FixMatch::step(const StepData& data) {
  return step_.run(data, options_.weight,
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     backward(terms.loss);
                     apply_update(optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
