#include "training/method.h"

#include "engine/ops/concat.h"
#include "layers/head_loss.h"

namespace kern::training {
namespace {
Tensor empty_labels(const Shape& inputs) {
  Shape positions;
  for (int i = 0; i + 1 < inputs.rank(); ++i) positions.push_back(inputs[i]);
  return Tensor::empty(positions, {.dtype = DType::i32});
}
}  // namespace

StepData empty_step_data(const StepShapes& of) {
  StepData d;
  d.epochs = of.epochs;
  d.labelled = [shape = of.labelled, per_sample = of.per_sample, left = of.batches]() mutable -> LabelledBatch {
    if (left-- <= 0) return {};
    return {Tensor::empty(shape), empty_labels(per_sample ? Shape{shape[0], 1} : shape)};
  };
  if (!of.unlabelled) return d;
  d.unlabelled = [shape = *of.unlabelled, strong = of.strong] {
    UnlabelledBatch u{.x = Tensor::empty(shape), .present = empty_labels(shape), .truth = empty_labels(shape)};
    if (strong > 0) u.strong = Tensor::empty(shape), u.origin = empty_labels(shape);
    if (strong > 1) u.strong2 = Tensor::empty(shape), u.origin2 = empty_labels(shape);
    return u;
  };
  return d;
}

Tensor labelled_loss(const LabelledLoss& loss, const AnyModule& network, const LabelledBatch& batch,
                     const Tensor& class_weights) {
  return loss ? loss(network, batch.x, batch.labels) : cross_entropy_of(network, batch.x, batch.labels, class_weights);
}

Tensor class_logits(const Tensor& logits) {
  if (logits.dim(-1) > 1) return logits;
  return concat({Tensor::zeros(logits.shape(), {.device = logits.device()}), logits});
}

Tensor class_weight_tensor(const std::vector<float>& weights, Device device) {
  return weights.empty() ? Tensor() : Tensor::from({int64_t(weights.size())}, weights).to(device);
}

}  // namespace kern::training
