#pragma once
#include "engine/tensor.h"

namespace kern {

// The sum of all values, any shape -> [1].
Tensor sum(const Tensor& x, SourceLocation at = SourceLocation::current());

// The mean of all values, any shape with at least one -> [1].
Tensor mean(const Tensor& x, SourceLocation at = SourceLocation::current());

// Over these dimensions (negative ones count from the end), which disappear, or with `keep` are left with size 1. [1]
// where none would be left. Values are added in double, on a GPU
// those of a long dimension after every eight. Error: a dimension that there is not, or that is named twice.
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep = false,
           SourceLocation at = SourceLocation::current());
Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keep = false,
            SourceLocation at = SourceLocation::current());

// The running sum along a dimension: y[..,n,..] = x[..,0,..] + ... + x[..,n,..].
Tensor cumsum(const Tensor& x, int axis, SourceLocation at = SourceLocation::current());

}  // namespace kern
