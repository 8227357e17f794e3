#include "training/cross_pseudo.h"

#include <limits>

#include "engine/ops/add.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/scale.h"
#include "training/pseudo_labels.h"

namespace kern::training {
namespace {

// Each network's most probable classes are the other's labels. The largest logit is the largest probability, and any
// value exceeds minus infinity.
PseudoLabels labels_of(const Tensor& logits, const Tensor& present, const Tensor& truth) {
  return pseudo_labels(logits, present, truth, -std::numeric_limits<double>::infinity());
}
Tensor crossed(const Tensor& a, const PseudoLabels& of_a, const Tensor& b, const PseudoLabels& of_b) {
  return add(cross_entropy(a, of_b.labels), cross_entropy(b, of_a.labels));
}

// Positions at which two networks say the same.
StepFigure agreement(const PseudoLabels& a, const PseudoLabels& b) {
  const std::vector<int32_t> left = a.labels.integers(), right = b.labels.integers();
  int64_t same = 0;
  for (size_t i = 0; i < left.size(); ++i) same += left[i] >= 0 && left[i] == right[i];
  return {"agreement", a.present > 0 ? double(same) / double(a.present) : 0, double(a.present)};
}

}  // namespace

CrossPseudo::CrossPseudo(AnyModule first, Optimiser& first_optimiser, AnyModule second, Optimiser second_optimiser,
                         const CrossPseudoOptions& options)
    : first_(std::move(first)),
      second_(std::move(second)),
      first_optimiser_(first_optimiser),
      second_optimiser_(std::move(second_optimiser)),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, first_.device())) {}

Tensor CrossPseudo::loss(const LabelledBatch& l, const UnlabelledBatch& u, double epochs, StepResult& result) {
  const Tensor fl = first_(l.x), gl = second_(l.x), fu = first_(u.x), gu = second_(u.x);
  const Tensor labelled = add(cross_entropy(fl, l.labels, weights_), cross_entropy(gl, l.labels, weights_));
  const PseudoLabels of_fl = labels_of(fl, l.labels, {}), of_gl = labels_of(gl, l.labels, {}),
                     of_fu = labels_of(fu, u.present, u.truth), of_gu = labels_of(gu, u.present, u.truth);
  const Tensor cross = add(crossed(fl, of_fl, gl, of_gl), crossed(fu, of_fu, gu, of_gu));
  result.figures = {
      {"loss_labelled", labelled.item()}, {"loss_cross", cross.item()}, agreement(of_fu, of_gu), of_fu.accuracy()};
  return add(labelled, scale(cross, float(options_.weight * ramp(epochs, options_.ramp))));
}

StepResult CrossPseudo::step(const StepData& data) {
  const LabelledBatch l = to(data.labelled(), first_.device());
  StepResult result{.samples = l.x.dim(0)};
  const Tensor total = loss(l, to(data.unlabelled(), first_.device()), data.epochs, result);
  backward(total);
  update(first_optimiser_, options_.clip);
  update(second_optimiser_, options_.clip);
  result.loss = total.item();
  return result;
}

}  // namespace kern::training
