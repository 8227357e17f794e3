#include "training/optimiser.h"

#include <cmath>
#include <limits>

#include "engine/dry_run.h"
#include "engine/ops/sum_squares.h"
#include "engine/profile.h"
#include "engine/rank_sums.h"

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

std::vector<ParameterGroup> parameter_groups(const AnyModule& network, const std::vector<PathRate>& rates) {
  std::vector<ParameterGroup> groups(rates.size() + 1);  // the last: everything else
  std::vector<bool> holds(rates.size(), false);
  for (size_t i = 0; i < rates.size(); ++i) groups[i].lr_scale = rates[i].lr_scale;
  for (const NamedTensor& p : network.parameters()) {
    size_t group = rates.size();
    for (size_t i = rates.size(); i-- > 0;)
      if (lies_below(p.name, rates[i].path)) group = i, holds[i] = true;
    if (p.tensor.requires_grad()) groups[group].parameters.push_back(p);
  }
  for (size_t i = 0; i < rates.size(); ++i)
    check(bool(holds[i]), "the network has no part '", rates[i].path, "' that could have a learning rate of its own");
  std::erase_if(groups, [](const ParameterGroup& g) { return g.parameters.empty(); });
  return groups;
}

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

void Optimiser::sum_gradients_over_ranks() { sum_over_ranks(arena_.gradients()); }

void Optimiser::step(SourceLocation at) {
  prepare_step();
  apply_step(at);
}

void Optimiser::prepare_step() {
  const KeptInDryRun keep(steps_);
  steps_.set(steps_.value() + 1);
  for (Group& g : groups_) g.lr.set(float(lr_ * g.lr_scale));
  arena_.touch(0, arena_.parameters().size());  // a replayed step writes to them without saying so
}

void Optimiser::apply_step(SourceLocation at) {
  const KeptInDryRun keep(clipped_);
  arena_.check_ownership(at);
  if (const auto look = std::exchange(look_, nullptr)) look();
  const Device device = arena_.values().device();
  const float* const scale = clipped_ ? gradient_scale_.on(device) : nullptr;
  for (Group& g : groups_) {
    for (const auto [begin, end] : arena_.runs_with_gradient(g.first, g.last)) {
      auto part = [begin = begin, end = end](const Tensor& flat) { return flat.batch_slice(begin, end); };
      Tensor p = part(arena_.values()), m = part(first_);
      const Tensor gradient = part(arena_.gradients());
      if (const auto* adam_options = std::get_if<AdamOptions>(&rule_)) {
        AdamOptions o = *adam_options;
        o.weight_decay = g.weight_decay;
        Tensor v = part(second_);
        adam(p, gradient, m, v, o, steps_.on(device), g.lr.on(device), scale, at);
      } else {
        SgdOptions o = std::get<SgdOptions>(rule_);
        o.weight_decay = g.weight_decay;
        sgd(p, gradient, m, o, g.lr.on(device), scale, at);
      }
    }
    arena_.touch(g.first, g.last);
  }
  clipped_ = false;
  clear_gradients();
  Profile::mark("optimiser", Profile::Direction::update, arena_.values(), {arena_.gradients(), first_, second_});
}

void Optimiser::clip_gradient_norm(double limit, SourceLocation at) {
  const KeptInDryRun keep(clipped_);
  const Device device = arena_.values().device();
  squares_.clear(device);
  for (const auto [begin, end] : arena_.runs_with_gradient(0, arena_.parameters().size()))
    add_sum_squares(arena_.gradients().batch_slice(begin, end), squares_.mutate(device), at);
  clip_scale(device, limit, squares_.on(device), gradient_scale_.mutate(device), at);
  clipped_ = true;
}

double Optimiser::gradient_norm() const { return std::sqrt(squares_.fetch(first_.device())); }

std::vector<FileTensor> Optimiser::state(const std::string& prefix) const {
  check(steps_.value() <= std::numeric_limits<int32_t>::max(), "more than 2^31 steps");
  const int32_t steps[] = {int32_t(steps_.value())};
  std::vector<FileTensor> out{{prefix + ".moment1", first_},
                              {prefix + ".steps", Tensor::from({1}, std::span<const int32_t>(steps))}};
  if (second_) out.push_back({prefix + ".moment2", second_});
  return out;
}

void Optimiser::load_state(const TensorFile& file, const std::string& prefix) {
  const KeptInDryRun keep(steps_);
  Tensor steps = Tensor::empty({1}, {.dtype = DType::i32});
  std::vector<FileTensor> targets{{"moment1", first_}, {"steps", steps}};
  if (second_) targets.push_back({"moment2", second_});
  load_into(targets, file, prefix + ".");
  steps_.set(steps.integers()[0]);
}

}  // namespace kern::training
