#pragma once
#include "engine/tensor.h"

namespace kern {

// Cross entropy in which a class weighs as much as the others are frequent: the mean over the rows that take part of
// -(1 - s[t]) log p[t], where s[k] is class k's share of them in this batch (Xie and Tu 2015; with two classes it is
// FaultSeg3D's loss, Wu et al. 2019). Logits [N,...,K] (softmax; one logit: sigmoid), target i32 [N,...] with -1 for
// what takes no part -> [1]; where one class is alone, 0. Errors: shapes that do not fit; a target that is no class.
Tensor balanced_cross_entropy(const Tensor& logits, const Tensor& target,
                              SourceLocation at = SourceLocation::current());

}  // namespace kern
