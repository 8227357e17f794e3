#pragma once
#include "engine/ops/unary.h"
#include "kernels/softplus.h"

namespace kern {

// y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold, any shape. Error: beta not positive.
inline Tensor softplus(const Tensor& x, float beta = 1, float threshold = 20, const Tensor& slot = {},
                       SourceLocation at = SourceLocation::current()) {
  check({beta > 0, at}, "softplus: beta must be positive, got ", beta);
  return unary("softplus", kernels::softplus_table(), kernels::Softplus{.beta = beta, .threshold = threshold}, x, slot,
               at);
}

}  // namespace kern
