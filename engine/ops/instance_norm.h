#pragma once
#include "engine/tensor.h"

namespace kern {

// x [N, positions..., C], at least two positions; weight and bias [C] or empty -> y of x's shape: every channel of
// every sample with mean 0 and variance 1 over its positions, then weight and bias. Formulas in
// kernels/norm/instance_norm.h.
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, float eps = 1e-5f,
                     const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
