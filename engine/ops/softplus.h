#pragma once
#include "engine/tensor.h"

namespace kern {

// y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold, any shape. Error: beta not positive.
Tensor softplus(const Tensor& x, float beta = 1, float threshold = 20, const Tensor& slot = {},
                SourceLocation at = SourceLocation::current());

}  // namespace kern
