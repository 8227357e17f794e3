#pragma once
#include "engine/ops/update.h"
#include "kernels/sgd.h"

namespace kern {

struct SgdOptions {
  double momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

// One step in place on a parameter p with gradient g and momentum m (zero at first; may be no tensor where momentum is
// 0). lr and grad_scale (may be null: 1; for clipping) lie in memory of p's device. Formulas in kernels/sgd.h.
inline void sgd(Tensor& p, const Tensor& g, Tensor& m, const SgdOptions& o, const float* lr,
                const float* grad_scale = nullptr, SourceLocation at = SourceLocation::current()) {
  detail::check_like_parameter("sgd", "the gradient", p, g, at);
  const bool has_momentum = o.momentum != 0;
  if (has_momentum) detail::check_like_parameter("sgd", "the momentum", p, m, at);
  check({has_momentum || !o.nesterov, at}, "sgd: Nesterov's look-ahead needs a momentum above 0");
  const kernels::SgdSpec a{
      .n = p.size(), .momentum = o.momentum, .weight_decay = o.weight_decay, .nesterov = o.nesterov};
  kernels::select(kernels::sgd_table(), p.device(), a, at)
      .step({}, a, lr, grad_scale, p.mutate(), g.data(), has_momentum ? m.mutate() : nullptr);
}

}  // namespace kern
