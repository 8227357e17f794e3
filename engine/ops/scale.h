#pragma once
#include "engine/ops/unary.h"
#include "kernels/scale.h"

namespace kern {

// y = a x + b with constants of the host, any shape.
inline Tensor scale(const Tensor& x, float a, float b = 0, const Tensor& slot = {},
                    SourceLocation at = SourceLocation::current()) {
  return unary("scale", kernels::scale_table(), kernels::Scale{.a = a, .b = b}, x, slot, at);
}

}  // namespace kern
