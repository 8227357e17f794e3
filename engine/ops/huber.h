#pragma once
#include "engine/ops/pair_loss.h"
#include "kernels/huber.h"

namespace kern {

// The mean over all values of d^2 / 2 where |d| = |x - target| <= delta, else delta (|d| - delta / 2); two tensors of
// one shape -> [1]. Error: delta not positive.
inline Tensor huber(const Tensor& x, const Tensor& target, float delta = 1,
                    SourceLocation at = SourceLocation::current()) {
  check({delta > 0, at}, "huber: delta must be positive, got ", delta);
  return pair_loss("huber", kernels::huber_table(), kernels::Huber{delta}, x, target, at);
}

}  // namespace kern
