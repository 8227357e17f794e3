#pragma once
#include "engine/ops/unary.h"
#include "kernels/relu6.h"

namespace kern {

// y = min(max(x, 0), 6), any shape.
inline Tensor relu6(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("relu6", kernels::relu6_table(), kernels::Relu6{}, x, slot, at);
}

}  // namespace kern
