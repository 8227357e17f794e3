#include "engine/ops/conv_transpose3d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTranspose3dOptions& o,
                        const Tensor& out, SourceLocation at) {
  check({x.rank() == 5 && w.rank() == 5, at},
        "conv_transpose3d: input must be [N,D,H,W,C] and filter [C,T,R,S,K/G], got ", x.shape(), " and ", w.shape());
  const kernels::ConvTranspose2dSpec g{.n = int(x.dim(0)),
                                       .c = int(x.dim(4)),
                                       .h = int(x.dim(2)),
                                       .w = int(x.dim(3)),
                                       .k = int(w.dim(4)) * o.groups,
                                       .r = int(w.dim(2)),
                                       .s = int(w.dim(3)),
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
                                       .columns_added = o.output_padding.w,
                                       .d = int(x.dim(1)),
                                       .t = int(w.dim(1)),
                                       .stride_d = o.stride.d,
                                       .dil_d = o.dilation.d,
                                       .crop_front = o.crop.front,
                                       .crop_back = o.crop.back,
                                       .planes_added = o.output_padding.d};
  detail::check_transposed("conv_transpose3d", g, x, w, b, at);
  return detail::convolve_transposed("conv_transpose3d", g.flattened(), {g.n, g.o(), g.p(), g.q(), g.k}, x, w, b,
                                     o.bias_cancels, o.fold, out, at);
}

}  // namespace kern
