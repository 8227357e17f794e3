#pragma once
#include "engine/tensor.h"

namespace kern {

// The mean over all values of d^2 / 2 where |d| = |x - target| <= delta, else delta (|d| - delta / 2); two tensors of
// one shape -> [1]. Error: delta not positive.
Tensor huber(const Tensor& x, const Tensor& target, float delta = 1, SourceLocation at = SourceLocation::current());

}  // namespace kern
