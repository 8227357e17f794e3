#pragma once
#include "engine/ops/unary.h"
#include "kernels/silu.h"

namespace kern {

// y = x / (1 + exp(-x)), any shape.
inline Tensor silu(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("silu", kernels::silu_table(), kernels::Silu{}, x, slot, at);
}

}  // namespace kern
