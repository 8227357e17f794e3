#include "training/step_figures.h"

#include "engine/ops/concat.h"

namespace kern::training {

StepFigures::StepFigures(const std::vector<std::string>& names, const Tensor& packed) : late_(HostCopy(packed)) {
  internal_check(packed.size() == int64_t(2 * names.size()), "a value and a weight for each figure's name");
  for (const std::string& name : names) known_.push_back({.name = name});
}

Tensor StepFigures::pack(const std::vector<Tensor>& figures, Device device) {
  const Tensor one = Tensor::full({1}, 1.0f, {.device = device}), none = Tensor::zeros({2}, {.device = device});
  std::vector<Tensor> parts;
  for (const Tensor& f : figures) {
    parts.push_back(f ? f.detach() : none);
    if (f && f.size() == 1) parts.push_back(one);
  }
  return concat(parts);
}

std::vector<StepFigure> StepFigures::values() const {
  std::vector<StepFigure> out = known_;
  if (!late_) return out;
  const std::vector<float> v = late_->values();
  for (size_t i = 0; i < out.size(); ++i) out[i].value = double(v[2 * i]), out[i].weight = double(v[2 * i + 1]);
  return out;
}

}  // namespace kern::training
