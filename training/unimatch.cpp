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
            {&optimiser}) {}

StepTerms UniMatch::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  const SureLabels sure = sure_labels(network_, u, options_.threshold, false);
  const Tensor labelled = labelled_loss(options_.loss, network_, l, weights_);
  const Tensor first = sure_label_loss(network_, sure, u, u.strong, u.origin),
               second = sure_label_loss(network_, sure, u, u.strong2 ? u.strong2 : u.strong,
                                        u.strong2 ? u.origin2 : u.origin);
  const Tensor strong = affine(add(first, second), 0.5f);
  Tensor features;
  {
    const FeatureDropout perturbed(float(options_.feature_dropout));
    features = sure_label_loss(network_, sure, u, {}, {});
  }
  const Tensor unlabelled = affine(add(strong, features), 0.5f);
  return {add(labelled, mul(unlabelled, weight)), {labelled, strong, features, sure.said.share, sure.said.accuracy}};
}

StepResult UniMatch::step(const StepData& data) {
  return step_.run(data, options_.weight,
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     backward(terms.loss);
                     apply_update(optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
