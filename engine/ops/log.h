#pragma once
#include "engine/tensor.h"

namespace kern {

// y = the natural logarithm of x, any shape; minus infinity at 0, NaN below.
Tensor log(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
