#include "training/method.h"

namespace kern::training {
namespace {
Tensor moved_to(const Tensor& t, Device device) { return t ? t.to(device) : t; }
}  // namespace

Tensor class_weight_tensor(const std::vector<float>& weights, Device device) {
  return weights.empty() ? Tensor() : Tensor::from({int64_t(weights.size())}, weights).to(device);
}

void update(Optimiser& optimiser, double clip) {
  if (clip > 0) optimiser.clip_gradient_norm(clip);
  optimiser.step();
}

LabelledBatch to(const LabelledBatch& b, Device device) { return {moved_to(b.x, device), moved_to(b.labels, device)}; }

UnlabelledBatch to(const UnlabelledBatch& b, Device device) {
  return {moved_to(b.x, device), moved_to(b.present, device), moved_to(b.strong, device), moved_to(b.origin, device),
          moved_to(b.truth, device)};
}

}  // namespace kern::training
