#pragma once
#include "engine/tensor.h"

namespace kern {

// y = e^x, any shape.
Tensor exp(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
