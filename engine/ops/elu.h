#pragma once
#include "engine/ops/unary.h"
#include "kernels/elu.h"

namespace kern {

// y = x where x > 0, else alpha (exp(x) - 1), any shape. Error: a negative alpha.
inline Tensor elu(const Tensor& x, float alpha = 1, const Tensor& slot = {},
                  SourceLocation at = SourceLocation::current()) {
  check({alpha >= 0, at}, "elu: alpha must not be negative, got ", alpha);
  return unary("elu", kernels::elu_table(), kernels::Elu{alpha}, x, slot, at);
}

}  // namespace kern
