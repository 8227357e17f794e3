#pragma once
#include "engine/ops/conv1d.h"
#include "kernels/max_pool.h"

namespace kern {

struct MaxPool2dOptions {
  Pair window = 2, stride = 2;
  Padding padding = 0;
};
struct MaxPool1dOptions {
  int window = 2, stride = 2;
  Sides padding = 0;
};

namespace detail {
inline Tensor max_pool(const char* op, kernels::MaxPoolSpec g, const Tensor& x, bool signal, const Tensor& slot,
                       SourceLocation at) {
  check({g.r >= 1 && g.s >= 1 && g.stride_h >= 1 && g.stride_w >= 1, at}, op, ": window and stride must be at least 1");
  check({std::min({g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}) >= 0 && std::max(g.pad_top, g.pad_bottom) < g.r &&
             std::max(g.pad_left, g.pad_right) < g.s,
         at},
        op, ": padding must be at least 0 and less than the window ", g.r, "x", g.s);
  check({g.r <= g.h + g.pad_top + g.pad_bottom && g.s <= g.w + g.pad_left + g.pad_right && g.h >= 1 && g.w >= 1, at},
        op, ": a window of ", g.r, "x", g.s, " does not fit input ", x.shape(),
        "; use a larger input or fewer poolings");
  check({int64_t{g.h} * g.w <= INT32_MAX, at}, op, ": an image of ", g.h, "x", g.w, " has too many positions");
  g.pitch = {.x = x.pitch()};
  const auto& row = kernels::select(kernels::max_pool_table(), x.device(), g, at);
  const Shape shape = signal ? Shape{g.n, g.q(), g.c} : Shape{g.n, g.p(), g.q(), g.c};
  Tensor y = output_tensor(op, shape, x.options(), slot, at);
  g.pitch.y = y.pitch();
  row.forward({}, g, x.data(), y.mutate());
  return record(op, {x}, y, [op, g, &row, x = Saved(x)](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    row.backward({}, g, dy.data(), x.get(op).data(), d[0].mutate());
  });
}
}  // namespace detail

// x [N,H,W,C] -> y [N,P,Q,C], P = (H + top + bottom - window) / stride + 1, rounded down. Formulas in
// kernels/max_pool.h.
inline Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o = {}, const Tensor& slot = {},
                         SourceLocation at = SourceLocation::current()) {
  check({x.rank() == 4, at}, "max_pool2d: input must be [N,H,W,C], got ", x.shape());
  return detail::max_pool("max_pool2d",
                          {.n = int(x.dim(0)),
                           .c = int(x.dim(3)),
                           .h = int(x.dim(1)),
                           .w = int(x.dim(2)),
                           .r = o.window.h,
                           .s = o.window.w,
                           .stride_h = o.stride.h,
                           .stride_w = o.stride.w,
                           .pad_top = o.padding.top,
                           .pad_bottom = o.padding.bottom,
                           .pad_left = o.padding.left,
                           .pad_right = o.padding.right},
                          x, false, slot, at);
}

// x [N,L,C] -> y [N,Q,C].
inline Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o = {}, const Tensor& slot = {},
                         SourceLocation at = SourceLocation::current()) {
  check({x.rank() == 3, at}, "max_pool1d: input must be [N,L,C], got ", x.shape());
  return detail::max_pool("max_pool1d",
                          {.n = int(x.dim(0)),
                           .c = int(x.dim(2)),
                           .w = int(x.dim(1)),
                           .s = o.window,
                           .stride_w = o.stride,
                           .pad_left = o.padding.left,
                           .pad_right = o.padding.right},
                          x, true, slot, at);
}

}  // namespace kern
