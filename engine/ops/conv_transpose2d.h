#pragma once
#include "engine/ops/conv2d.h"

namespace kern {

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Padding crop = 0;         // cut from the output's borders; "padding" in other libraries
  Pair output_padding = 0;  // rows and columns added at the bottom and right, below max(stride, dilation)
  Pair dilation = 1;
  int groups = 1;
  bool bias_cancels = false;   // as Conv2dOptions says
  const Fold* fold = nullptr;  // likewise
};

// x [N,H,W,C], w [C,R,S,K/G], b [K] or empty -> y [N,P,Q,K],
// P = (H - 1) stride + dilation (R - 1) + 1 - top - bottom + output_padding. Formulas in kernels/conv/conv_transpose2d.h.
// Errors: channels, groups or bias that do not fit; an output without positions.
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTranspose2dOptions& o = {},
                        const Tensor& out = {}, SourceLocation at = SourceLocation::current());

}  // namespace kern
