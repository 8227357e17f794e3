#include "training/fixmatch.h"

#include "engine/ops/add.h"
#include "engine/ops/scale.h"
#include "engine/ops/softmax.h"
#include "layers/head_loss.h"
#include "training/pseudo_labels.h"

namespace kern::training {

FixMatch::FixMatch(AnyModule network, Optimiser& optimiser, const FixMatchOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())) {}

Tensor FixMatch::loss(const LabelledBatch& l, const UnlabelledBatch& u, StepResult& result) {
  PseudoLabels said;
  {
    const NoGrad off;
    network_.set_training(false);
    Tensor q = softmax(network_(u.x));
    network_.set_training(true);
    if (options_.in_order) q = in_order(q, u.present);
    said = pseudo_labels(q, u.present, u.truth, options_.threshold);
  }
  const Tensor labelled = cross_entropy_of(network_, l.x, l.labels, weights_);
  // The cross entropy averages over positions that have a label; the method does over all.
  const Tensor target = move_labels(said.labels, u.origin);
  const int64_t all = count_present(move_labels(u.present, u.origin));
  const double share = all > 0 ? double(count_present(target)) / double(all) : 0;
  const Tensor unlabelled = scale(cross_entropy_of(network_, u.strong ? u.strong : u.x, target), float(share));
  result.figures = {
      {"loss_labelled", labelled.item()}, {"loss_unlabelled", unlabelled.item()}, said.share(), said.accuracy()};
  return add(labelled, scale(unlabelled, float(options_.weight)));
}

StepResult FixMatch::step(const StepData& data) {
  const LabelledBatch l = to(data.labelled(), network_.device());
  StepResult result{.samples = l.x.dim(0)};
  const Tensor total = loss(l, to(data.unlabelled(), network_.device()), result);
  backward(total);
  update(optimiser_, options_.clip);
  result.loss = total.item();
  return result;
}

}  // namespace kern::training
