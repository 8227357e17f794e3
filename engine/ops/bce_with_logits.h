#pragma once
#include "engine/tensor.h"

namespace kern {

struct BceOptions {
  float pos_weight = 1;    // of the values whose target is 1
  bool by_weight = false;  // divide by the sum of the weights instead of the number of values: the mean over a mask
};

// The mean binary cross entropy of logits with targets in [0,1], -> [1]; weight (or mask) of the same shape, or empty
// (all 1). Gradients go to the logits only. Formulas in kernels/loss/bce_with_logits.h.
Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight = {}, const BceOptions& o = {},
                       SourceLocation at = SourceLocation::current());

}  // namespace kern
