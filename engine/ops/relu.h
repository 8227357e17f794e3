#pragma once
#include "engine/ops/unary.h"
#include "kernels/relu.h"

namespace kern {

// y = max(x, 0), any shape.
inline Tensor relu(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("relu", kernels::relu_table(), kernels::Relu{}, x, slot, at);
}

}  // namespace kern
