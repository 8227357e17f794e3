#include "engine/ops/ema_update.h"

#include "engine/ops/op.h"
#include "engine/ops/update.h"
#include "kernels/optim/ema_update.h"

namespace kern {

void ema_update(Tensor& average, const Tensor& x, double decay, SourceLocation at) {
  detail::check_like_parameter("ema_update", "the array to average", average, x, at);
  check({decay >= 0 && decay <= 1, at}, "ema_update: the decay must be from 0 to 1, got ", decay);
  const kernels::EmaUpdateSpec g{.n = x.size(), .decay = decay};
  kernels::select(kernels::ema_update_registry(), x.device(), g, at).step({}, g, x.data(), average.mutate());
}

}  // namespace kern
