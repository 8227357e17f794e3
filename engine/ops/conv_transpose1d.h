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
inline Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b = {},
                               const ConvTranspose1dOptions& o = {}, const Tensor& slot = {},
                               SourceLocation at = SourceLocation::current()) {
  check({x.rank() == 3 && w.rank() == 3, at}, "conv_transpose1d: input must be [N,L,C] and filter [C,S,K/G], got ",
        x.shape(), " and ", w.shape());
  const kernels::ConvTranspose2dSpec g{.n = int(x.dim(0)),
                                       .c = int(x.dim(2)),
                                       .w = int(x.dim(1)),
                                       .k = int(w.dim(2)) * o.groups,
                                       .s = int(w.dim(1)),
                                       .stride_w = o.stride,
                                       .dil_w = o.dilation,
                                       .groups = o.groups,
                                       .crop_left = o.crop.left,
                                       .crop_right = o.crop.right,
                                       .columns_added = o.output_padding};
  detail::check_transposed("conv_transpose1d", g, x, w, b, at);
  return detail::convolve_transposed("conv_transpose1d", g, {g.n, g.q(), g.k}, x, w, b, o.bias_cancels, slot, at);
}

}  // namespace kern
