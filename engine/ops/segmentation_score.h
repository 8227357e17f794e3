// What a segmentation is worth, counted where its probabilities are (formulas in kernels/labels/segmentation_score.h). No
// gradients.
#pragma once
#include "engine/tensor.h"

namespace kern {

struct SegmentationScore {
  Tensor counts;  // i32 [K,K]: labels of a class by the class they were given, row = truth
  Tensor loss;    // [1], the sum over the labels of - log of the probability that theirs has
};
// probabilities [1,h,w,C], of two classes also [1,h,w,1], class 1's; labels i32 [1,H,W], a class or -1, of the same
// image at any size. threshold: of two classes, what makes it the second.
SegmentationScore segmentation_score(const Tensor& probabilities, const Tensor& labels, double threshold = 0.5,
                                     SourceLocation at = SourceLocation::current());

}  // namespace kern
