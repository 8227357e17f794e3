#pragma once
#include "engine/tensor.h"

namespace kern {

// x [..., C] -> probabilities of the same shape that sum to 1 over the channels.
Tensor softmax(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
