#pragma once
#include "engine/tensor.h"

namespace kern {

// Adds the sum of x's squares to *total, which lies in memory of x's device: called for one gradient after the other it
// gives the square of their common norm, in the same order every run. x must be dense.
void add_sum_squares(const Tensor& x, double* total, SourceLocation at = SourceLocation::current());

// *scale = limit / norm where the norm, the root of *total, is above the limit, else 1. Both lie in memory of `device`.
void clip_scale(Device device, double limit, const double* total, float* scale,
                SourceLocation at = SourceLocation::current());

}  // namespace kern
