#pragma once
#include "engine/tensor.h"

namespace kern {

// x [..., C] -> the logarithms of softmax(x), without its loss of small probabilities.
Tensor log_softmax(const Tensor& x, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
