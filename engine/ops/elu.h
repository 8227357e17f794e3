#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x where x > 0, else alpha (exp(x) - 1), any shape. Error: a negative alpha.
Tensor elu(const Tensor& x, float alpha = 1, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
