#pragma once
#include "engine/tensor.h"

namespace kern {

struct Fold;  // engine/prepared_filters.h

// x [..., C], w [K,C], b [K] or empty -> y [..., K] = x w^T + b. fold, for layers: what is folded in where the network is
// prepared, and that weights may be read packed, which sums in another order. Errors: channels or bias that do not fit.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Tensor& out = {},
              const Fold* fold = nullptr, SourceLocation at = SourceLocation::current());

}  // namespace kern
