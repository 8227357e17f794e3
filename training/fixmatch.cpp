#include "training/fixmatch.h"

#include "engine/ops/add.h"
#include "engine/ops/mul.h"
#include "training/sure_labels.h"

namespace kern::training {

FixMatch::FixMatch(AnyModule network, Optimiser& optimiser, const FixMatchOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())),
      step_(network_.device(), {"loss_labelled", "loss_unlabelled", "confident", "pseudo_accuracy"}, {&optimiser},
            {.class_weights = options.class_weights, .sync_batch_norm = options.sync_batch_norm}) {}

StepTerms FixMatch::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  const SureLabels sure = sure_labels(network_, u, options_.threshold, options_.monotone);
  const Tensor labelled =
      step_.normed(l.whole, [&] { return part_of(labelled_loss(options_.loss, network_, l, weights_), l.share); });
  const Tensor unlabelled = step_.normed(
      u.whole, [&] { return part_of(sure_label_loss(network_, sure, u, u.strong, u.origin), u.strong_share); });
  return {add(labelled, mul(unlabelled, weight)), {labelled, unlabelled, sure.said.share, sure.said.accuracy}};
}

StepResult FixMatch::step(const StepData& data) {
  return step_.run(data, options_.weight,
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     learn_from(terms.loss, optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
