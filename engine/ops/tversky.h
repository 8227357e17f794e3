#pragma once
#include "engine/tensor.h"

namespace kern {

struct TverskyOptions {
  float alpha = 0.5f;       // what a false positive costs
  float beta = 0.5f;        // what a false negative costs
  float smooth = 1;         // added to numerator and denominator
  bool per_sample = false;  // an overlap per sample, then their mean; else one over the whole batch
};

// 1 - the mean over classes of TP / (TP + alpha FP + beta FN), on probabilities: logits [N,...,K] (softmax; one logit:
// sigmoid), target i32 [N,...] with -1 for what takes no part -> [1]. Formulas in kernels/loss/tversky.h. Errors: shapes
// that do not fit; a target that is no class; negative options.
Tensor tversky(const Tensor& logits, const Tensor& target, const TverskyOptions& o = {},
               SourceLocation at = SourceLocation::current());

}  // namespace kern
