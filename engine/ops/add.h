#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a + b. a of any shape [...,C]; b of the same shape, or a vector [C] that is added to every row.
Tensor add(const Tensor& a, const Tensor& b, const Tensor& slot = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
