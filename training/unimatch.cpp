#include "training/unimatch.h"

#include "engine/ops/add.h"
#include "engine/ops/labels.h"
#include "engine/ops/mul.h"
#include "engine/ops/unary.h"
#include "layers/feature_dropout.h"
#include "training/sure_labels.h"

namespace kern::training {

UniMatch::UniMatch(AnyModule network, Optimiser& optimiser, const UniMatchOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      weights_(class_weight_tensor(options.class_weights, network_.device())),
      step_(network_.device(), {"loss_labelled", "loss_strong", "loss_features", "confident", "pseudo_accuracy"},
            {&optimiser}, {.class_weights = options.class_weights, .sync_batch_norm = options.sync_batch_norm}) {}

StepTerms UniMatch::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  const SureLabels sure = sure_labels(network_, u, options_.threshold, false);
  const Tensor labelled =
      step_.normed(l.whole, [&] { return part_of(labelled_loss(options_.loss, network_, l, weights_), l.share); });
  const auto term = [&](const Tensor& view, const Tensor& origin, const Tensor& share) {
    return step_.normed(u.whole, [&] { return part_of(sure_label_loss(network_, sure, u, view, origin), share); });
  };
  const Tensor first = term(u.strong, u.origin, u.strong_share),
               second =
                   u.strong2 ? term(u.strong2, u.origin2, u.strong2_share) : term(u.strong, u.origin, u.strong_share);
  const Tensor strong = affine(add(first, second), 0.5f);
  Tensor features;
  {
    const FeatureDropout perturbed(float(options_.feature_dropout));
    features = term({}, {}, u.share);
  }
  const Tensor unlabelled = affine(add(strong, features), 0.5f);
  return {add(labelled, mul(unlabelled, weight)), {labelled, strong, features, sure.said.share, sure.said.accuracy}};
}

StepResult UniMatch::step(const StepData& data) {
  return step_.run(data, options_.weight,
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     learn_from(terms.loss, optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
