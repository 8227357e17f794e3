#include "engine/ops/adam.h"

#include "engine/ops/op.h"
#include "engine/ops/update.h"
#include "kernels/optim/adam.h"

namespace kern {

void adam(Tensor& p, const Tensor& g, Tensor& m, Tensor& v, const AdamOptions& o, const int64_t* step, const float* lr,
          const float* grad_scale, SourceLocation at) {
  detail::check_like_parameter("adam", "the gradient", p, g, at);
  detail::check_like_parameter("adam", "the first moment", p, m, at);
  detail::check_like_parameter("adam", "the second moment", p, v, at);
  const kernels::AdamSpec a{.n = p.size(),
                            .beta1 = o.beta1,
                            .beta2 = o.beta2,
                            .epsilon = o.epsilon,
                            .weight_decay = o.weight_decay,
                            .decoupled = o.decoupled};
  kernels::select(kernels::adam_registry(), p.device(), a, at)
      .step({}, a, step, lr, grad_scale, p.mutate(), g.data(), m.mutate(), v.mutate());
}

}  // namespace kern
