#pragma once
#include "engine/tensor.h"

namespace kern {

struct FocalOptions {
  float gamma = 2;   // 0 is plain cross entropy
  float alpha = -1;  // with one logit the weight of class 1, class 0 has 1 - alpha; negative: no weights
};

// The mean of -f[t] (1 - p[t])^gamma log p[t] over the rows that take part: logits [N,...,K] (softmax; one logit:
// sigmoid), target i32 [N,...] with -1 for what takes no part, weight [K] or empty (all 1; with one logit alpha says
// it) -> [1]. Formulas in kernels/loss/focal.h. Errors: shapes that do not fit; a target that is no class; a negative gamma;
// alpha above 1, or with several logits.
Tensor focal(const Tensor& logits, const Tensor& target, const FocalOptions& o = {}, const Tensor& weight = {},
             SourceLocation at = SourceLocation::current());

}  // namespace kern
