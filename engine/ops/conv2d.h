#pragma once
#include "engine/ops/op.h"
#include "kernels/conv2d.h"

namespace kern {

struct Pair {  // height and width
  int h = 1, w = 1;
  constexpr Pair(int both) : h(both), w(both) {}
  constexpr Pair(int height, int width) : h(height), w(width) {}
};
struct Padding {
  int top = 0, bottom = 0, left = 0, right = 0;
  constexpr Padding(int all) : top(all), bottom(all), left(all), right(all) {}
  constexpr Padding(Pair p) : top(p.h), bottom(p.h), left(p.w), right(p.w) {}
  constexpr Padding(int t, int b, int l, int r) : top(t), bottom(b), left(l), right(r) {}
};

struct Conv2dOptions {
  Pair stride = 1;
  Padding padding = 0;
  Pair dilation = 1;
  int groups = 1;
  bool bias_cancels =
      false;  // a norm subtracts the mean of y next: the bias's gradient is 0 exactly, and is not summed
};

namespace detail {

// Any convolution whose spec stands: x and y of any shape that the spec describes, b may be empty.
inline Tensor convolve(const char* op, kernels::Conv2dSpec g, const Shape& y_shape, const Tensor& x, const Tensor& w,
                       const Tensor& b, bool bias_cancels, const Tensor& slot, SourceLocation at) {
  g.pitch = {.x = x.pitch()};
  const auto& row = kernels::select(kernels::conv2d_table(), x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), slot, at);
  g.pitch.y = y.pitch();
  row.forward(Workspace(x.device(), row.workspace(g)).exec(), g, x.data(), w.data(), b ? b.data() : nullptr,
              y.mutate());
  return record(op, {x, w, b}, y,
                [op, g, &row, bias_cancels, x = Saved(x), w = Saved(w)](const Tensor& dy, Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  const Workspace workspace(dy.device(), row.workspace(g));
                  if (d.want(0)) row.backward_data(workspace.exec(), g, dy.data(), w.get(op).data(), d[0].mutate());
                  if (d.want(1)) row.backward_weight(workspace.exec(), g, dy.data(), x.get(op).data(), d[1].mutate());
                  if (d.want(2) && bias_cancels) d[2].fill(0);
                  else if (d.want(2)) row.backward_bias(workspace.exec(), g, dy.data(), d[2].mutate());
                });
}

inline void check_convolution(const char* op, const kernels::Conv2dSpec& g, const Tensor& x, const Tensor& w,
                              const Tensor& b, SourceLocation at) {
  check({g.groups >= 1 && g.c % g.groups == 0 && g.k % g.groups == 0, at}, op, ": ", g.groups,
        " groups must divide the ", g.c, " channels in and the ", g.k, " channels out");
  check({w.channels() * g.groups == g.c, at}, op, ": input ", x.shape(), " has ", g.c, " channels, filter ", w.shape(),
        " with ", g.groups, " group(s) expects ", w.channels() * g.groups);
  check({!b || b.shape() == Shape{g.k}, at}, op, ": bias must be [", g.k, "], got ", b ? b.shape() : Shape{});
  check({g.stride_h >= 1 && g.stride_w >= 1 && g.dil_h >= 1 && g.dil_w >= 1, at}, op,
        ": stride and dilation must be at least 1");
  check({g.pad_top >= 0 && g.pad_bottom >= 0 && g.pad_left >= 0 && g.pad_right >= 0, at}, op,
        ": padding must not be negative; crop instead");
  const int reach_h = g.dil_h * (g.r - 1) + 1, reach_w = g.dil_w * (g.s - 1) + 1;
  check({g.r >= 1 && g.s >= 1 && reach_h <= g.h + g.pad_top + g.pad_bottom && reach_w <= g.w + g.pad_left + g.pad_right,
         at},
        op, ": a filter that reaches ", reach_h, "x", reach_w, " does not fit input ", x.shape(),
        "; pad more or use a larger input");
  check({w.dense(), at}, op, ": the filter must be dense");
}

}  // namespace detail

// x [N,H,W,C], w [K,R,S,C/G], b [K] or empty -> y [N,P,Q,K], P = (H + top + bottom - dilation (R-1) - 1) / stride + 1.
// Formulas in kernels/conv2d.h. Errors: channels, groups or bias that do not fit; a filter larger than the padded
// input.
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Conv2dOptions& o = {},
                     const Tensor& slot = {}, SourceLocation at = SourceLocation::current()) {
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
  return detail::convolve("conv2d", g, {g.n, g.p(), g.q(), g.k}, x, w, b, o.bias_cancels, slot, at);
}

}  // namespace kern
