#pragma once
#include "engine/tensor.h"

namespace kern {

struct CrossEntropyOptions {
  float smoothing = 0;  // the share of the loss that goes to all classes alike: label smoothing
};

// The weighted mean of -log softmax(logits)[target]: logits [N,...,K], target i32 [N,...] with -1 for what takes no
// part, weight [K] or empty (all 1) -> [1]. Formula in kernels/loss/cross_entropy.h; everything ignored gives 0 and no
// gradient. Errors: shapes that do not fit; a target that is no class; smoothing outside [0, 1].
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const Tensor& weight = {},
                     const CrossEntropyOptions& o = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
