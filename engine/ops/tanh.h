#pragma once
#include "engine/tensor.h"

namespace kern {

// y = tanh(x), any shape.
Tensor tanh(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
