#pragma once
#include "engine/tensor.h"

namespace kern {

// x [N, positions..., C] -> y [N,C], the mean of every channel of every sample over its positions.
Tensor global_avg_pool(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
