#include "training/cross_pseudo.h"

#include <limits>

#include "engine/ops/add.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/mul.h"
#include "engine/ops/pseudo_labels.h"

namespace kern::training {
namespace {

// Each network's most probable classes are the other's labels. The largest logit is the largest probability, and any
// value exceeds minus infinity.
PseudoLabels labels_of(const Tensor& logits, const Tensor& present, const Tensor& truth) {
  return pseudo_labels(logits.detach(), present, truth, -std::numeric_limits<double>::infinity());
}
Tensor crossed(const Tensor& a, const PseudoLabels& of_a, const Tensor& b, const PseudoLabels& of_b) {
  return add(cross_entropy(a, of_b.labels), cross_entropy(b, of_a.labels));
}

}  // namespace

CrossPseudo::CrossPseudo(AnyModule first, Optimiser& first_optimiser, AnyModule second, Optimiser second_optimiser,
                         const CrossPseudoOptions& options)
    : first_(std::move(first)),
      second_(std::move(second)),
      first_optimiser_(first_optimiser),
      second_optimiser_(std::move(second_optimiser)),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, first_.device())),
      step_(first_.device(), {"loss_labelled", "loss_cross", "agreement", "pseudo_accuracy"},
            {&first_optimiser_, &second_optimiser_},
            {.class_weights = options.class_weights, .sync_batch_norm = options.sync_batch_norm}) {}

StepTerms CrossPseudo::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  const auto said = [this](const AnyModule& network, const auto& batch) {
    return step_.normed(batch.whole, [&] { return network(batch.x); });
  };
  const Tensor fl = said(first_, l), gl = said(second_, l), fu = said(first_, u), gu = said(second_, u);
  const Tensor labelled =
      part_of(add(cross_entropy(fl, l.labels, weights_), cross_entropy(gl, l.labels, weights_)), l.share);
  const PseudoLabels of_fl = labels_of(fl, l.labels, {}), of_gl = labels_of(gl, l.labels, {}),
                     of_fu = labels_of(fu, u.present, u.truth),
                     of_gu = labels_of(gu, u.present, of_fu.labels);  // its accuracy is how far the two agree
  const Tensor cross = add(part_of(crossed(fl, of_fl, gl, of_gl), l.share_of_positions),
                           part_of(crossed(fu, of_fu, gu, of_gu), u.share));
  return {add(labelled, mul(cross, weight)), {labelled, cross, of_gu.accuracy, of_fu.accuracy}};
}

StepResult CrossPseudo::step(const StepData& data) {
  return step_.run(data, weight(data.epochs),
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     backward(terms.loss);
                     apply_update(first_optimiser_, options_.clip);
                     apply_update(second_optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
