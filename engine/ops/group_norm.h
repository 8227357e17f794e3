#pragma once
#include "engine/tensor.h"

namespace kern {

// x [N, positions..., C] or [N,C], C in `groups` groups of neighbours; weight and bias [C] or empty -> y of x's shape:
// every group of every sample with mean 0 and variance 1 over its channels and positions, then weight and bias.
// Formulas in kernels/norm/group_norm.h.
Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  float eps = 1e-5f, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
