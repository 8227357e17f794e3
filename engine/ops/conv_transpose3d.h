#pragma once
#include "engine/ops/conv3d.h"

namespace kern {

struct ConvTranspose3dOptions {
  Triple stride = 1;
  Padding3d crop = 0;         // cut from the output's borders; "padding" in other libraries
  Triple output_padding = 0;  // added at the back, bottom and right, below max(stride, dilation)
  Triple dilation = 1;
  int groups = 1;
  bool bias_cancels = false;   // as Conv2dOptions says
  const Fold* fold = nullptr;  // likewise
};

// x [N,D,H,W,C], w [C,T,R,S,K/G], b [K] or empty -> y [N,O,P,Q,K],
// O = (D - 1) stride + dilation (T - 1) + 1 - front - back + output_padding. The kernels are conv_transpose2d's
// (kernels/conv/conv_transpose2d.h). Errors: channels, groups or bias that do not fit; an output without positions.
Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTranspose3dOptions& o = {},
                        const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
