#pragma once
#include "engine/ops/unary.h"
#include "kernels/log.h"

namespace kern {

// y = the natural logarithm of x, any shape; minus infinity at 0, NaN below.
inline Tensor log(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("log", kernels::log_table(), kernels::Log{}, x, slot, at);
}

}  // namespace kern
