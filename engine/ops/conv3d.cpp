#include "engine/ops/conv3d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv3dOptions& o, const Tensor& out,
              SourceLocation at) {
  check({x.rank() == 5 && w.rank() == 5, at}, "conv3d: input must be [N,D,H,W,C] and filter [K,T,R,S,C/G], got ",
        x.shape(), " and ", w.shape());
  const kernels::Conv2dSpec g{.n = int(x.dim(0)),
                              .c = int(x.dim(4)),
                              .h = int(x.dim(2)),
                              .w = int(x.dim(3)),
                              .k = int(w.dim(0)),
                              .r = int(w.dim(2)),
                              .s = int(w.dim(3)),
                              .stride_h = o.stride.h,
                              .stride_w = o.stride.w,
                              .dil_h = o.dilation.h,
                              .dil_w = o.dilation.w,
                              .groups = o.groups,
                              .pad_top = o.padding.top,
                              .pad_bottom = o.padding.bottom,
                              .pad_left = o.padding.left,
                              .pad_right = o.padding.right,
                              .d = int(x.dim(1)),
                              .t = int(w.dim(1)),
                              .stride_d = o.stride.d,
                              .dil_d = o.dilation.d,
                              .pad_front = o.padding.front,
                              .pad_back = o.padding.back};
  detail::check_convolution("conv3d", g, x, w, b, at);
  return detail::convolve("conv3d", g.flattened(), {g.n, g.o(), g.p(), g.q(), g.k}, x, w, b, o.bias_cancels, o.fold,
                          out, at);
}

}  // namespace kern
