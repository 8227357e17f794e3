#include "engine/ops/conv1d.h"

#include "engine/ops/convolve.h"

namespace kern {

Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const Conv1dOptions& o, const Tensor& out,
              SourceLocation at) {
  check({x.rank() == 3 && w.rank() == 3, at}, "conv1d: input must be [N,L,C] and filter [K,S,C/G], got ", x.shape(),
        " and ", w.shape());
  const kernels::Conv2dSpec g{.n = int(x.dim(0)),
                              .c = int(x.dim(2)),
                              .w = int(x.dim(1)),
                              .k = int(w.dim(0)),
                              .s = int(w.dim(1)),
                              .stride_w = o.stride,
                              .dil_w = o.dilation,
                              .groups = o.groups,
                              .pad_left = o.padding.left,
                              .pad_right = o.padding.right};
  detail::check_convolution("conv1d", g, x, w, b, at);
  return detail::convolve("conv1d", g, {g.n, g.q(), g.k}, x, w, b, o.bias_cancels, nullptr, out, at);
}

}  // namespace kern
