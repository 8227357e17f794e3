#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x min(max(x + 3, 0), 6) / 6, any shape.
Tensor hardswish(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
