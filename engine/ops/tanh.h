#pragma once
#include "engine/ops/unary.h"
#include "kernels/tanh.h"

namespace kern {

// y = tanh(x), any shape.
inline Tensor tanh(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("tanh", kernels::tanh_table(), kernels::Tanh{}, x, slot, at);
}

}  // namespace kern
