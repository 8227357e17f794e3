#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a x + b with constants of the host, any shape.
Tensor scale(const Tensor& x, float a, float b = 0, const Tensor& slot = {},
             SourceLocation at = SourceLocation::current());

}  // namespace kern
