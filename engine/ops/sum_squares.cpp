#include "engine/ops/sum_squares.h"

#include "engine/ops/op.h"
#include "kernels/reduce/sum_squares.h"

namespace kern {

void add_sum_squares(const Tensor& x, double* total, SourceLocation at) {
  check({x.dense(), at}, "sum_squares: ", x.shape(), " with a row pitch of ", x.pitch(), " must be dense");
  const kernels::SumSquaresSpec g{.n = x.size()};
  const auto& impl = kernels::select(kernels::sum_squares_registry(), x.device(), g, at);
  impl.add(Workspace(x.device(), impl.workspace(g)).exec(), g, x.data(), total);
}

void clip_scale(Device device, double limit, const double* total, float* scale, SourceLocation at) {
  kernels::select(kernels::sum_squares_registry(), device, kernels::SumSquaresSpec{}, at).clip({}, limit, total, scale);
}

}  // namespace kern
