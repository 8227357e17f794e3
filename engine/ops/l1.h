#pragma once
#include "engine/tensor.h"

namespace kern {

// The mean of |x - target| over all values, two tensors of one shape -> [1].
Tensor l1(const Tensor& x, const Tensor& target, SourceLocation at = SourceLocation::current());

}  // namespace kern
