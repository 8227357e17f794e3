#pragma once
#include "engine/ops/tversky.h"

namespace kern {

struct DiceOptions {
  float smooth = 1;
  bool per_sample = false;  // a dice per sample, then their mean; else one over the whole batch
};

// 1 - the mean over classes of (2 sum p t + smooth) / (sum p + sum t + smooth) (Milletari et al. 2016 with plain sums):
// tversky with both costs 1/2. Logits [N,...,K] (softmax; one logit: sigmoid), target i32 [N,...] with -1 for what
// takes no part -> [1].
Tensor dice(const Tensor& logits, const Tensor& target, const DiceOptions& o = {},
            SourceLocation at = SourceLocation::current());

}  // namespace kern
