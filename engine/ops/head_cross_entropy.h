#pragma once
#include "engine/tensor.h"

namespace kern {

struct HeadCrossEntropyOptions {
  float smoothing = 0;           // as in cross_entropy
  Tensor prediction, confusion;  // i32 [N,...] and [K,K], or empty: written to, for metrics
};

// cross_entropy(1x1 convolution of x, target) in one pass that keeps no logits: x [N,...,C], w the filter of a 1x1
// convolution ([K,C], [K,1,C] or [K,1,1,C]), b [K] or empty, target and weight as in cross_entropy -> [1]. Gradients
// are computed along with the loss and wait for backward. Formulas in kernels/loss/head_cross_entropy.h. Errors: shapes that
// do not fit; a target that is no class; smoothing outside [0, 1].
Tensor head_cross_entropy(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& target,
                          const Tensor& weight = {}, HeadCrossEntropyOptions o = {},
                          SourceLocation at = SourceLocation::current());

}  // namespace kern
