#pragma once
#include "engine/ops/unary.h"
#include "kernels/exp.h"

namespace kern {

// y = e^x, any shape.
inline Tensor exp(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return unary("exp", kernels::exp_table(), kernels::Exp{}, x, slot, at);
}

}  // namespace kern
