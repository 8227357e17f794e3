#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a * b, element by element. a of any shape [...,C]; b of the same shape, or a vector [C] that multiplies every
// row.
Tensor mul(const Tensor& a, const Tensor& b, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
