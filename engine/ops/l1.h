#pragma once
#include "engine/ops/pair_loss.h"
#include "kernels/l1.h"

namespace kern {

// The mean of |x - target| over all values, two tensors of one shape -> [1].
inline Tensor l1(const Tensor& x, const Tensor& target, SourceLocation at = SourceLocation::current()) {
  return pair_loss("l1", kernels::l1_table(), kernels::L1{}, x, target, at);
}

}  // namespace kern
