#include "engine/ops/conv_transpose1d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose1dOptions& o,
                        const Tensor& out, SourceLocation at) {
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
  return detail::convolve_transposed("conv_transpose1d", g, {g.n, g.q(), g.k}, x, w, b, o.bias_cancels, nullptr, out,
                                     at);
}

}  // namespace kern
