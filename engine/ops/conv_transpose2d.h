#pragma once
#include "engine/ops/conv2d.h"
#include "kernels/conv_transpose2d.h"

namespace kern {

struct ConvTranspose2dOptions {
  Pair stride = 1;
  Padding crop = 0;         // cut from the output's borders; "padding" in other libraries
  Pair output_padding = 0;  // rows and columns added at the bottom and right, below max(stride, dilation)
  Pair dilation = 1;
  int groups = 1;
  bool bias_cancels = false;  // as Conv2dOptions says
};

namespace detail {

// Any transposed convolution whose spec stands: x and y of any shape that the spec describes, b may be empty.
inline Tensor convolve_transposed(const char* op, kernels::ConvTranspose2dSpec g, const Shape& y_shape, const Tensor& x,
                                  const Tensor& w, const Tensor& b, bool bias_cancels, const Tensor& slot,
                                  SourceLocation at) {
  g.pitch = {.x = x.pitch()};
  const auto& row = kernels::select(kernels::conv_transpose2d_table(), x.device(), g, at);
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

inline void check_transposed(const char* op, const kernels::ConvTranspose2dSpec& g, const Tensor& x, const Tensor& w,
                             const Tensor& b, SourceLocation at) {
  check({w.dim(0) == g.c, at}, op, ": input ", x.shape(), " has ", g.c, " channels, filter ", w.shape(), " expects ",
        w.dim(0));
  check({g.groups >= 1 && g.c % g.groups == 0, at}, op, ": ", g.groups, " groups must divide the ", g.c,
        " channels in");
  check({!b || b.shape() == Shape{g.k}, at}, op, ": bias must be [", g.k, "], got ", b ? b.shape() : Shape{});
  check({g.stride_h >= 1 && g.stride_w >= 1 && g.dil_h >= 1 && g.dil_w >= 1, at}, op,
        ": stride and dilation must be at least 1");
  check({g.crop_top >= 0 && g.crop_bottom >= 0 && g.crop_left >= 0 && g.crop_right >= 0, at}, op,
        ": crop must not be negative; pad instead");
  const bool few_rows = g.rows_added >= 0 && g.rows_added < std::max(g.stride_h, g.dil_h);
  const bool few_columns = g.columns_added >= 0 && g.columns_added < std::max(g.stride_w, g.dil_w);
  check({few_rows && few_columns, at}, op,
        ": output_padding must be from 0 to below the larger of stride and dilation, got ", g.rows_added, " and ",
        g.columns_added);
  check({g.r >= 1 && g.s >= 1 && g.h >= 1 && g.w >= 1 && g.p() >= 1 && g.q() >= 1, at}, op, ": input ", x.shape(),
        " and filter ", w.shape(), " give an output of ", g.p(), "x", g.q(),
        " positions; crop less or use a larger input");
  check({w.dense(), at}, op, ": the filter must be dense");
}

}  // namespace detail

// x [N,H,W,C], w [C,R,S,K/G], b [K] or empty -> y [N,P,Q,K],
// P = (H - 1) stride + dilation (R - 1) + 1 - top - bottom + output_padding. Formulas in kernels/conv_transpose2d.h.
// Errors: channels, groups or bias that do not fit; an output without positions.
inline Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b = {},
                               const ConvTranspose2dOptions& o = {}, const Tensor& slot = {},
                               SourceLocation at = SourceLocation::current()) {
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
  return detail::convolve_transposed("conv_transpose2d", g, {g.n, g.p(), g.q(), g.k}, x, w, b, o.bias_cancels, slot,
                                     at);
}

}  // namespace kern
