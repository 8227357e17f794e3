#pragma once
#include "engine/tensor.h"

namespace kern {

// y = min(max(x, 0), 6), any shape.
Tensor relu6(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
