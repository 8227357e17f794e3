#pragma once
#include "engine/tensor.h"

namespace kern {

struct PseudoLabels {
  Tensor labels;    // i32 [N,...]: the most probable class, or -1
  Tensor share;     // [2]: of the positions that take part, those that got a label; how many take part
  Tensor accuracy;  // [2]: of the labels whose truth is known, those that it confirms; how many are known
};
// Where a position takes part (present is not negative) and its confidence exceeds the threshold, the most probable
// class is its label; of equal ones the first. p [N,...,K]; present and truth (or empty) i32 [N,...]; confidence
// [N,...,1], empty: the largest p. No gradients. Formulas in kernels/labels/pseudo_labels.h.
PseudoLabels pseudo_labels(const Tensor& p, const Tensor& present, const Tensor& truth, double threshold,
                           const Tensor& confidence = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
