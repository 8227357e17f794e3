#pragma once
#include "engine/tensor.h"

namespace kern {

// The largest or smallest value along a dimension (negative counts from the end), which disappears, or with `keep` is
// left with size 1; the first NaN where there is one. The gradient goes to the first value that was taken.
// Errors: a dimension that there is not, or of no values.
Tensor max(const Tensor& x, int axis, bool keep = false, SourceLocation at = SourceLocation::current());
Tensor min(const Tensor& x, int axis, bool keep = false, SourceLocation at = SourceLocation::current());

// Where along the dimension it stands first, i32. No gradient.
Tensor argmax(const Tensor& x, int axis, bool keep = false, SourceLocation at = SourceLocation::current());
Tensor argmin(const Tensor& x, int axis, bool keep = false, SourceLocation at = SourceLocation::current());

}  // namespace kern
