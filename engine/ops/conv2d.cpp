#include "engine/ops/conv2d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv2dOptions& o, const Tensor& out,
              SourceLocation at) {
  check({x.rank() == 4 && w.rank() == 4, at}, "conv2d: input must be [N,H,W,C] and filter [K,R,S,C/G], got ", x.shape(),
        " and ", w.shape());
  const kernels::Conv2dSpec g{.n = int(x.dim(0)),
                              .c = int(x.dim(3)),
                              .h = int(x.dim(1)),
                              .w = int(x.dim(2)),
                              .k = int(w.dim(0)),
                              .r = int(w.dim(1)),
                              .s = int(w.dim(2)),
                              .stride_h = o.stride.h,
                              .stride_w = o.stride.w,
                              .dil_h = o.dilation.h,
                              .dil_w = o.dilation.w,
                              .groups = o.groups,
                              .pad_top = o.padding.top,
                              .pad_bottom = o.padding.bottom,
                              .pad_left = o.padding.left,
                              .pad_right = o.padding.right};
  detail::check_convolution("conv2d", g, x, w, b, at);
  return detail::convolve("conv2d", g, {g.n, g.p(), g.q(), g.k}, x, w, b, o.bias_cancels, o.fold, out, at);
}

}  // namespace kern
