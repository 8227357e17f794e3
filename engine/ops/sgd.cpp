#include "engine/ops/sgd.h"

#include "engine/ops/op.h"
#include "engine/ops/update.h"
#include "kernels/optim/sgd.h"

namespace kern {

void sgd(Tensor& p, const Tensor& g, Tensor& m, const SgdOptions& o, const float* lr, const float* grad_scale,
         SourceLocation at) {
  detail::check_like_parameter("sgd", "the gradient", p, g, at);
  const bool has_momentum = o.momentum != 0;
  if (has_momentum) detail::check_like_parameter("sgd", "the momentum", p, m, at);
  check({has_momentum || !o.nesterov, at}, "sgd: Nesterov's look-ahead needs a momentum above 0");
  const kernels::SgdSpec a{
      .n = p.size(), .momentum = o.momentum, .weight_decay = o.weight_decay, .nesterov = o.nesterov};
  kernels::select(kernels::sgd_registry(), p.device(), a, at)
      .step({}, a, lr, grad_scale, p.mutate(), g.data(), has_momentum ? m.mutate() : nullptr);
}

}  // namespace kern
