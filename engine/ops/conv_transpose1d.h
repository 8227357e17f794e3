#pragma once
#include "engine/ops/conv1d.h"
#include "engine/ops/conv_transpose2d.h"

namespace kern {

struct ConvTranspose1dOptions {
  int stride = 1;
  Sides crop = 0;  // "padding" in other libraries
  int output_padding = 0, dilation = 1, groups = 1;
  bool bias_cancels = false;  // as Conv2dOptions says
};

// x [N,L,C], w [C,S,K/G], b [K] or empty -> y [N,Q,K], Q = (L - 1) stride + dilation (S - 1) + 1 - left - right +
// output_padding. A signal is an image of height 1: the kernels are conv_transpose2d's, and the filter's layout is
// already [C,1,S,K/G].
Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTranspose1dOptions& o = {},
                        const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
