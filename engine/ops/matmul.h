#pragma once
#include "engine/tensor.h"

namespace kern {

// y = a b, matrices: [...,M,K] and [...,K,N] -> [...,M,N]; what stands before them is broadcast
// (engine/ops/broadcast.h). A second matrix without anything before it is one product of all rows; otherwise there is
// one product, and on a GPU one kernel, for each pair. Errors: sizes that do not fit.
Tensor matmul(const Tensor& a, const Tensor& b, SourceLocation at = SourceLocation::current());

}  // namespace kern
