#pragma once
#include "engine/ops/op.h"
#include "kernels/sum_squares.h"

namespace kern {

// Adds the sum of x's squares to *total, which lies in memory of x's device: called for one gradient after the other it
// gives the square of their common norm, in the same order every run. x must be dense.
inline void add_sum_squares(const Tensor& x, double* total, SourceLocation at = SourceLocation::current()) {
  check({x.dense(), at}, "sum_squares: ", x.shape(), " with a row pitch of ", x.pitch(), " must be dense");
  const kernels::SumSquaresSpec g{.n = x.size()};
  const auto& row = kernels::select(kernels::sum_squares_table(), x.device(), g, at);
  row.add(Workspace(x.device(), row.workspace(g)).exec(), g, x.data(), total);
}

// *scale = limit / norm where the norm, the root of *total, is above the limit, else 1. Both lie in memory of `device`.
inline void clip_scale(Device device, double limit, const double* total, float* scale,
                       SourceLocation at = SourceLocation::current()) {
  kernels::select(kernels::sum_squares_table(), device, kernels::SumSquaresSpec{}, at).clip({}, limit, total, scale);
}

}  // namespace kern
