#pragma once
#include "engine/tensor.h"

namespace kern {

// y = max(x, 0), any shape.
Tensor relu(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
