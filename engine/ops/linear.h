#pragma once
#include "engine/tensor.h"

namespace kern {

// x [..., C], w [K,C], b [K] or empty -> y [..., K] = x w^T + b. Errors: channels or bias that do not fit.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Tensor& out = {},
              SourceLocation at = SourceLocation::current());

}  // namespace kern
