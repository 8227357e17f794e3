#include "training/step_figures.h"

#include "engine/communicator.h"
#include "engine/ops/concat.h"
#include "engine/ops/unary.h"

namespace kern::training {

StepFigures::StepFigures(const std::vector<std::string>& names, const Tensor& packed) : late_(HostCopy(packed)) {
  internal_check(packed.size() == int64_t(2 * names.size()), "a value and a weight for each figure's name");
  for (const std::string& name : names) known_.push_back({.name = name});
}

Tensor StepFigures::pack(const std::vector<Tensor>& figures, Device device) {
  // The ranks' mean, weighing 1 together, is to be the sum of their parts.
  const auto ranks = float(communicator().size());
  const Tensor one = Tensor::full({1}, 1 / ranks, {.device = device}), none = Tensor::zeros({2}, {.device = device});
  std::vector<Tensor> parts;
  for (const Tensor& f : figures) {
    const bool part = f && f.size() == 1;
    parts.push_back(!f ? none : part && ranks > 1 ? affine(f.detach(), ranks) : f.detach());
    if (part) parts.push_back(one);
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

std::vector<StepFigure> StepFigures::values_over_ranks() const {
  std::vector<StepFigure> out = values();
  if (communicator().alone() || out.empty()) return out;
  std::vector<double> sums;
  for (const StepFigure& f : out) {
    sums.push_back(f.weight > 0 ? f.value * f.weight : 0);
    sums.push_back(f.weight);
  }
  communicator().sum(std::span(sums));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].weight = sums[2 * i + 1];
    out[i].value = out[i].weight > 0 ? sums[2 * i] / out[i].weight : 0;
  }
  return out;
}

}  // namespace kern::training
