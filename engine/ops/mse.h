#pragma once
#include "engine/tensor.h"

namespace kern {

// The mean of (x - target)^2 over all values, two tensors of one shape -> [1].
Tensor mse(const Tensor& x, const Tensor& target, SourceLocation at = SourceLocation::current());

}  // namespace kern
