#include "training/method.h"

namespace kern::training {
namespace {
Tensor hollow_labels(const Shape& inputs) {
  Shape positions;
  for (int i = 0; i + 1 < inputs.rank(); ++i) positions.push_back(inputs[i]);
  return Tensor::empty(positions, {.dtype = DType::i32});
}
}  // namespace

StepData hollow(const HollowData& of) {
  StepData d;
  d.epochs = of.epochs;
  d.labelled = [shape = of.labelled, left = of.batches]() mutable -> LabelledBatch {
    if (left-- <= 0) return {};
    return {Tensor::empty(shape), hollow_labels(shape)};
  };
  if (!of.unlabelled) return d;
  d.unlabelled = [shape = *of.unlabelled, strong = of.strong] {
    UnlabelledBatch u{.x = Tensor::empty(shape), .present = hollow_labels(shape), .truth = hollow_labels(shape)};
    if (strong) u.strong = Tensor::empty(shape), u.origin = hollow_labels(shape);
    return u;
  };
  return d;
}

Tensor class_weight_tensor(const std::vector<float>& weights, Device device) {
  return weights.empty() ? Tensor() : Tensor::from({int64_t(weights.size())}, weights).to(device);
}

}  // namespace kern::training
