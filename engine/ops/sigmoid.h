#pragma once
#include "engine/ops/unary.h"
#include "kernels/sigmoid.h"

namespace kern {

// y = 1 / (1 + exp(-x)), any shape.
inline Tensor sigmoid(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("sigmoid", kernels::sigmoid_table(), kernels::Sigmoid{}, x, slot, at);
}

}  // namespace kern
