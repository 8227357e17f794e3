#pragma once
#include "engine/ops/softmax.h"
#include "kernels/log_softmax.h"

namespace kern {

// x [..., C] -> the logarithms of softmax(x), without its loss of small probabilities.
inline Tensor log_softmax(const Tensor& x, const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
  return detail::over_channels("log_softmax", kernels::log_softmax_table(), x, slot, at);
}

}  // namespace kern
