#include "engine/ops/conv_transpose2d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose2dOptions& o,
                        const Tensor& out, SourceLocation at) {
  check({x.rank() == 4 && w.rank() == 4, at}, "conv_transpose2d: input must be [N,H,W,C] and filter [C,R,S,K/G], got ",
        x.shape(), " and ", w.shape());
  const kernels::ConvTranspose2dSpec g{.n = int(x.dim(0)),
                                       .c = int(x.dim(3)),
                                       .h = int(x.dim(1)),
                                       .w = int(x.dim(2)),
                                       .k = int(w.dim(3)) * o.groups,
                                       .r = int(w.dim(1)),
                                       .s = int(w.dim(2)),
                                       .stride_h = o.stride.h,
                                       .stride_w = o.stride.w,
                                       .dil_h = o.dilation.h,
                                       .dil_w = o.dilation.w,
                                       .groups = o.groups,
                                       .crop_top = o.crop.top,
                                       .crop_bottom = o.crop.bottom,
                                       .crop_left = o.crop.left,
                                       .crop_right = o.crop.right,
                                       .rows_added = o.output_padding.h,
                                       .columns_added = o.output_padding.w};
  detail::check_transposed("conv_transpose2d", g, x, w, b, at);
  return detail::convolve_transposed("conv_transpose2d", g, {g.n, g.p(), g.q(), g.k}, x, w, b, o.bias_cancels, o.fold,
                                     out, at);
}

}  // namespace kern
