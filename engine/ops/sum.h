#pragma once
#include "engine/tensor.h"

namespace kern {

// The sum of all values, any shape -> [1].
Tensor sum(const Tensor& x, SourceLocation at = SourceLocation::current());

// The mean of all values, any shape with at least one -> [1].
Tensor mean(const Tensor& x, SourceLocation at = SourceLocation::current());

}  // namespace kern
