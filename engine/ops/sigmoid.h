#pragma once
#include "engine/tensor.h"

namespace kern {

// y = 1 / (1 + exp(-x)), any shape.
Tensor sigmoid(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
