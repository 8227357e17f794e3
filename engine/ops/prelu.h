#pragma once
#include "engine/tensor.h"

namespace kern {

// y = x where x > 0, else slope * x. x of any shape [..., C]; slope [1], shared, or [C], one per channel.
Tensor prelu(const Tensor& x, const Tensor& slope, const Tensor& out = {},
             SourceLocation at = SourceLocation::current());

}  // namespace kern
