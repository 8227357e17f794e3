#pragma once
#include "engine/ops/pair_loss.h"
#include "kernels/mse.h"

namespace kern {

// The mean of (x - target)^2 over all values, two tensors of one shape -> [1].
inline Tensor mse(const Tensor& x, const Tensor& target, SourceLocation at = SourceLocation::current()) {
  return pair_loss("mse", kernels::mse_table(), kernels::Mse{}, x, target, at);
}

}  // namespace kern
