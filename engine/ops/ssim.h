#pragma once
#include "engine/tensor.h"

namespace kern {

// 1 - the mean structural similarity of two images [N,H,W,C] -> [1] (Wang et al. 2004: Gaussian window of 11,
// sigma 1.5, only where it fits), range = the difference between the largest and the smallest value an image can hold.
// Gradients go to both. Formulas in kernels/loss/ssim.h. Errors: shapes that differ; an image smaller than the window; a
// range that is not positive.
Tensor ssim(const Tensor& x, const Tensor& y, float range = 1, SourceLocation at = SourceLocation::current());

}  // namespace kern
