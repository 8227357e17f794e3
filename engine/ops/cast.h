#pragma once
#include "engine/tensor.h"

namespace kern {

// x kept as another type, float or bf16, in any shape; x itself where it is that already and no `out` is given. A bf16
// becomes the same float; a float the nearest bf16 (kernels/elementwise/cast.h). Its gradient has x's type.
Tensor cast(const Tensor& x, DType to, const Tensor& out = {}, SourceLocation at = SourceLocation::current());

// How activations are kept that follow from x by convolutions: as bf16 on a GPU with precision=bf16
// (kernels/common/precision.h), else as x is. What a convolution gives has these options, and so must an `out` for it.
TensorOptions activation_options(const Tensor& x);

}  // namespace kern
