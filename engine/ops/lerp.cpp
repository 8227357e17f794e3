#include "engine/ops/lerp.h"

#include "engine/ops/op.h"
#include "engine/ops/update.h"
#include "kernels/lerp.h"

namespace kern {

void lerp(Tensor& average, const Tensor& x, double decay, SourceLocation at) {
  detail::check_like_parameter("lerp", "the array to average", average, x, at);
  check({decay >= 0 && decay <= 1, at}, "lerp: the decay must be from 0 to 1, got ", decay);
  const kernels::LerpSpec g{.n = x.size(), .decay = decay};
  kernels::select(kernels::lerp_table(), x.device(), g, at).step({}, g, x.data(), average.mutate());
}

}  // namespace kern
