#include "training/mean_teacher.h"

#include "engine/ops/add.h"
#include "engine/ops/mse.h"
#include "engine/ops/scale.h"
#include "engine/ops/softmax.h"
#include "layers/head_loss.h"
#include "training/pseudo_labels.h"

namespace kern::training {
namespace {

// The mean square of p - target where present is 0: elsewhere p itself is the target, which adds nothing.
Tensor mse_where(const Tensor& p, const Tensor& target, const Tensor& present) {
  const int64_t positions = p.rows(), taking_part = count_present(present), c = p.channels();
  if (taking_part == positions) return mse(p, target);
  const std::vector<int32_t> there = present.integers();
  const std::vector<float> own = p.values();
  std::vector<float> aim = target.values();
  for (int64_t i = 0; i < positions; ++i)
    if (there[size_t(i)] < 0) std::copy_n(own.begin() + i * c, c, aim.begin() + i * c);
  const Tensor loss = mse(p, Tensor::from(p.shape(), aim).to(p.device()));
  return scale(loss, taking_part > 0 ? float(double(positions) / double(taking_part)) : 0.0f);
}

}  // namespace

MeanTeacher::MeanTeacher(AnyModule network, Optimiser& optimiser, const MeanTeacherOptions& options)
    : network_(std::move(network)),
      optimiser_(optimiser),
      options_(options),
      teacher_(optimiser, {.decay = options.decay}),
      weights_(class_weight_tensor(options.class_weights, network_.device())) {}

Tensor MeanTeacher::loss(const LabelledBatch& l, const UnlabelledBatch& u, double epochs, StepResult& result) {
  Tensor taught;
  {
    const NoGrad off;
    const Ema::Swapped teacher(teacher_);
    network_.set_training(false);
    taught = softmax(network_(u.x));
    network_.set_training(true);
    if (options_.in_order) taught = in_order(taught, u.present);
  }
  const PseudoLabels said = pseudo_labels(taught, u.present, u.truth, 0);
  const Tensor labelled = cross_entropy_of(network_, l.x, l.labels, weights_);
  const Tensor consistency = mse_where(softmax(network_(u.strong ? u.strong : u.x)), move_rows(taught, u.origin),
                                       move_labels(u.present, u.origin));
  result.figures = {{"loss_labelled", labelled.item()}, {"loss_consistency", consistency.item()}, said.accuracy()};
  return add(labelled, scale(consistency, float(options_.weight * ramp(epochs, options_.ramp))));
}

StepResult MeanTeacher::step(const StepData& data) {
  const LabelledBatch l = to(data.labelled(), network_.device());
  StepResult result{.samples = l.x.dim(0)};
  const Tensor total = loss(l, to(data.unlabelled(), network_.device()), data.epochs, result);
  backward(total);
  update(optimiser_, options_.clip);
  result.loss = total.item();
  return result;
}

}  // namespace kern::training
