#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x's values at these positions of a dimension (negative counts from the end): y[..,m,..] = x[..,index[..,m,..],..].
// The index is i32 and of x's shape but for that dimension. A position outside gives NaN, and no gradient.
// Error: shapes that do not fit, another type.
Tensor gather(const Tensor& x, int axis, const Tensor& index, SourceLocation at = SourceLocation::current());

// The same positions everywhere: index is i32 [M]; y has M instead of the dimension's size.
Tensor take(const Tensor& x, int axis, const Tensor& index, SourceLocation at = SourceLocation::current());

}  // namespace kern
