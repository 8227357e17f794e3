#include "training/mean_teacher.h"

#include "engine/ops/add.h"
#include "engine/ops/labels.h"
#include "engine/ops/monotone_posteriors.h"
#include "engine/ops/mse.h"
#include "engine/ops/mul.h"
#include "engine/ops/pseudo_labels.h"
#include "engine/ops/softmax.h"

namespace kern::training {
namespace {

// The mean square of p - target where present is 0: elsewhere p itself is the target, which adds nothing.
Tensor mse_where(const Tensor& p, const Tensor& target, const Tensor& present) {
  return mul(mse(p, choose(present, target, p)), labelled_mean({}, present).expansion);
}

}  // namespace

MeanTeacher::MeanTeacher(AnyModule network, Optimiser& optimiser, const MeanTeacherOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      teacher_(optimiser, {.decay = options.decay}),
      weights_(class_weight_tensor(options.class_weights, network_.device())),
      step_(network_.device(), {"loss_labelled", "loss_consistency", "pseudo_accuracy"}, {&optimiser},
            {.class_weights = options.class_weights, .sync_batch_norm = options.sync_batch_norm}) {}

StepTerms MeanTeacher::loss(const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
  Tensor taught;
  {
    const NoGrad off;
    const Ema::Swapped teacher(teacher_);
    network_.set_training(false);
    taught = softmax(class_logits(network_(u.x)));
    network_.set_training(true);
    if (options_.monotone) taught = monotone_posteriors(taught, u.present);
  }
  const Tensor labelled =
      step_.normed(l.whole, [&] { return part_of(labelled_loss(options_.loss, network_, l, weights_), l.share); });
  const Tensor said = step_.normed(u.whole, [&] { return softmax(class_logits(network_(u.strong ? u.strong : u.x))); });
  const Tensor consistency =
      part_of(mse_where(said, move_rows(taught, u.origin), move_labels(u.present, u.origin)), u.strong_share);
  return {add(labelled, mul(consistency, weight)),
          {labelled, consistency, pseudo_labels(taught, u.present, u.truth, 0).accuracy}};
}

StepResult MeanTeacher::step(const StepData& data) {
  return step_.run(data, weight(data.epochs),
                   [this](const LabelledBatch& l, const UnlabelledBatch& u, const Tensor& weight) {
                     StepTerms terms = loss(l, u, weight);
                     learn_from(terms.loss, optimiser_, options_.clip);
                     return terms;
                   });
}

}  // namespace kern::training
