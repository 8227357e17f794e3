#include "engine/ops/pool.h"

#include "engine/ops/op.h"

namespace kern {

namespace detail {

void check_pool(const char* op, const kernels::PoolSpec& g, const Tensor& x, SourceLocation at) {
  check({g.r >= 1 && g.s >= 1 && g.stride_h >= 1 && g.stride_w >= 1, at}, op, ": window and stride must be at least 1");
  check({std::min({g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}) >= 0 && std::max(g.pad_top, g.pad_bottom) < g.r &&
             std::max(g.pad_left, g.pad_right) < g.s,
         at},
        op, ": padding must be at least 0 and less than the window ", g.r, "x", g.s);
  check({g.r <= g.h + g.pad_top + g.pad_bottom && g.s <= g.w + g.pad_left + g.pad_right && g.h >= 1 && g.w >= 1, at},
        op, ": a window of ", g.r, "x", g.s, " does not fit input ", x.shape(),
        "; use a larger input or fewer poolings");
  check({int64_t{g.h} * g.w <= INT32_MAX, at}, op, ": an image of ", g.h, "x", g.w, " has too many positions");
}

kernels::PoolSpec pool2d_spec(const char* op, const Tensor& x, Pair window, Pair stride, Padding padding,
                              SourceLocation at) {
  check({x.rank() == 4, at}, op, ": input must be [N,H,W,C], got ", x.shape());
  const kernels::PoolSpec g{.n = int(x.dim(0)),
                            .c = int(x.dim(3)),
                            .h = int(x.dim(1)),
                            .w = int(x.dim(2)),
                            .r = window.h,
                            .s = window.w,
                            .stride_h = stride.h,
                            .stride_w = stride.w,
                            .pad_top = padding.top,
                            .pad_bottom = padding.bottom,
                            .pad_left = padding.left,
                            .pad_right = padding.right,
                            .pitch = {.x = x.pitch()}};
  check_pool(op, g, x, at);
  return g;
}

kernels::PoolSpec pool1d_spec(const char* op, const Tensor& x, int window, int stride, Sides padding,
                              SourceLocation at) {
  check({x.rank() == 3, at}, op, ": input must be [N,L,C], got ", x.shape());
  const kernels::PoolSpec g{.n = int(x.dim(0)),
                            .c = int(x.dim(2)),
                            .w = int(x.dim(1)),
                            .s = window,
                            .stride_w = stride,
                            .pad_left = padding.left,
                            .pad_right = padding.right,
                            .pitch = {.x = x.pitch()}};
  check_pool(op, g, x, at);
  return g;
}

Shape pooled_shape(const kernels::PoolSpec& g, const Tensor& x) {
  return x.rank() == 3 ? Shape{g.n, g.q(), g.c} : Shape{g.n, g.p(), g.q(), g.c};
}

}  // namespace detail

}  // namespace kern
