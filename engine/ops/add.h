#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a + b, element by element. Shapes are equal, or b is a vector [C] for every row of a [...,C]; others are broadcast
// (engine/ops/broadcast.h), which takes longer, and without `out`.
Tensor add(const Tensor& a, const Tensor& b, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
