#include "training/optimiser.h"

#include <cmath>
#include <limits>

#include "engine/ops/sum_squares.h"
#include "engine/profile.h"
#include "engine/rehearsal.h"

namespace kern::training {
namespace {
std::vector<Tensor> all_parameters(const std::vector<ParameterGroup>& groups) {
  std::vector<Tensor> out;
  for (const ParameterGroup& g : groups)
    for (const NamedTensor& p : g.parameters) out.push_back(p.tensor);
  check(!out.empty(), "an optimiser needs parameters; this model has none");
  return out;
}
bool share(double v) { return v >= 0 && v < 1; }
}  // namespace

Optimiser::Optimiser(std::vector<ParameterGroup> groups, Rule rule, double lr)
    : arena_(all_parameters(groups)), rule_(rule) {
  set_lr(lr);
  double weight_decay = 0;
  if (const auto* a = std::get_if<AdamOptions>(&rule_)) {
    check(share(a->beta1) && share(a->beta2) && a->epsilon > 0, "adam: betas must lie in [0, 1) and epsilon above 0");
    weight_decay = a->weight_decay;
    second_ = Tensor::zeros({arena_.size()}, arena_.values().options());
  } else {
    const auto& s = std::get<SgdOptions>(rule_);
    check(share(s.momentum), "sgd: momentum must lie in [0, 1)");
    check(s.momentum > 0 || !s.nesterov, "sgd: Nesterov's look-ahead needs a momentum above 0");
    weight_decay = s.weight_decay;
  }
  check(weight_decay >= 0, "weight_decay must not be negative, got ", weight_decay);
  first_ = Tensor::zeros({arena_.size()}, arena_.values().options());
  size_t first = 0;
  for (const ParameterGroup& g : groups) {
    check(g.lr_scale >= 0 && g.weight_decay.value_or(0) >= 0,
          "a parameter group's lr_scale and weight_decay must not be negative");
    groups_.push_back({.first = first,
                       .last = first + g.parameters.size(),
                       .lr_scale = g.lr_scale,
                       .weight_decay = g.weight_decay.value_or(weight_decay)});
    first = groups_.back().last;
  }
}

void Optimiser::set_lr(double lr) {
  check(lr >= 0 && std::isfinite(lr), "the learning rate must be a number that is not negative, got ", lr);
  lr_ = lr;
}

void Optimiser::step(SourceLocation at) {
  const KeptInRehearsal keep(steps_, gradient_scale_);
  arena_.check_ownership(at);
  steps_.set(steps_.value() + 1);
  const Device device = arena_.values().device();
  for (Group& g : groups_) {
    g.lr.set(float(lr_ * g.lr_scale));
    for (const auto [begin, end] : arena_.runs_with_gradient(g.first, g.last)) {
      auto part = [begin = begin, end = end](const Tensor& flat) { return flat.batch_slice(begin, end); };
      Tensor p = part(arena_.values()), m = part(first_);
      const Tensor gradient = part(arena_.gradients());
      if (const auto* adam_options = std::get_if<AdamOptions>(&rule_)) {
        AdamOptions o = *adam_options;
        o.weight_decay = g.weight_decay;
        Tensor v = part(second_);
        adam(p, gradient, m, v, o, steps_.on(device), g.lr.on(device), gradient_scale_.on(device), at);
      } else {
        SgdOptions o = std::get<SgdOptions>(rule_);
        o.weight_decay = g.weight_decay;
        sgd(p, gradient, m, o, g.lr.on(device), gradient_scale_.on(device), at);
      }
    }
    arena_.touch(g.first, g.last);
  }
  gradient_scale_.set(1);
  clear_gradients();
  Profile::mark("optimiser", Profile::Direction::update, arena_.values(), {arena_.gradients(), first_, second_});
}

double Optimiser::clip_gradient_norm(double limit) {
  const KeptInRehearsal keep(gradient_scale_);
  const Device device = arena_.values().device();
  DeviceScalar<double> total = 0;
  for (const auto [begin, end] : arena_.runs_with_gradient(0, arena_.parameters().size()))
    add_sum_squares(arena_.gradients().batch_slice(begin, end), total.mutate(device));
  const double norm = std::sqrt(total.fetch(device));
  gradient_scale_.set(limit > 0 && norm > limit ? float(limit / norm) : 1);
  return norm;
}

std::vector<FileTensor> Optimiser::state(const std::string& prefix) const {
  check(steps_.value() <= std::numeric_limits<int32_t>::max(), "more than 2^31 steps");
  const int32_t steps[] = {int32_t(steps_.value())};
  std::vector<FileTensor> out{{prefix + ".moment1", first_},
                              {prefix + ".steps", Tensor::from({1}, std::span<const int32_t>(steps))}};
  if (second_) out.push_back({prefix + ".moment2", second_});
  return out;
}

void Optimiser::load_state(const TensorFile& file, const std::string& prefix) {
  const KeptInRehearsal keep(steps_);
  Tensor steps = Tensor::empty({1}, {.dtype = DType::i32});
  std::vector<FileTensor> targets{{"moment1", first_}, {"steps", steps}};
  if (second_) targets.push_back({"moment2", second_});
  load_into(targets, file, prefix + ".");
  steps_.set(steps.integers()[0]);
}

}  // namespace kern::training
