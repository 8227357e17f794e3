#pragma once
#include "engine/ops/unary.h"
#include "kernels/leaky_relu.h"

namespace kern {

// y = x where x > 0, else slope * x, any shape. Error: a negative slope (prelu takes any).
inline Tensor leaky_relu(const Tensor& x, float slope = 0.01f, const Tensor& slot = {},
                         SourceLocation at = SourceLocation::current()) {
  check({slope >= 0, at}, "leaky_relu: the slope must not be negative, got ", slope, "; prelu takes any slope");
  return unary("leaky_relu", kernels::leaky_relu_table(), kernels::LeakyRelu{slope}, x, slot, at);
}

}  // namespace kern
