#pragma once
#include "engine/ops/unary.h"
#include "kernels/hardswish.h"

namespace kern {

// y = x min(max(x + 3, 0), 6) / 6, any shape.
inline Tensor hardswish(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("hardswish", kernels::hardswish_table(), kernels::Hardswish{}, x, slot, at);
}

}  // namespace kern
