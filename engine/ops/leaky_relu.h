#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x where x > 0, else slope * x, any shape. Error: a negative slope (prelu takes any).
Tensor leaky_relu(const Tensor& x, float slope = 0.01f, const Tensor& slot = {},
                  SourceLocation at = SourceLocation::current());

}  // namespace kern
