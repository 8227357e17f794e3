#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x / (1 + exp(-x)), any shape.
Tensor silu(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
