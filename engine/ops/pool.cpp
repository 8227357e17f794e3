#include "engine/ops/pool.h"

#include "engine/ops/op.h"

namespace kern {

namespace detail {

namespace {

// window: in words. Errors: window, stride or padding that make no sense for the input x.
void check_pool(const char* op, const kernels::PoolSpec& g, const std::string& window, const Tensor& x,
                SourceLocation at) {
  check({g.r >= 1 && g.s >= 1 && g.stride_h >= 1 && g.stride_w >= 1, at}, op, ": window and stride must be at least 1");
  check({std::min({g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}) >= 0 && std::max(g.pad_top, g.pad_bottom) < g.r &&
             std::max(g.pad_left, g.pad_right) < g.s,
         at},
        op, ": padding must be at least 0 and less than the window ", window);
  check({g.r <= g.h + g.pad_top + g.pad_bottom && g.s <= g.w + g.pad_left + g.pad_right && g.h >= 1 && g.w >= 1, at},
        op, ": a window of ", window, " does not fit input ", x.shape(), "; use a larger input or fewer poolings");
  check({int64_t{g.h} * g.w <= INT32_MAX, at}, op, ": an image of ", g.h, "x", g.w, " has too many positions");
}
void check_pool(const char* op, const kernels::PoolSpec& g, const Tensor& x, SourceLocation at) {
  check_pool(op, g, text(g.r, "x", g.s), x, at);
}

}  // namespace

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

VolumePool pool3d_spec(const char* op, const Tensor& x, Triple window, Triple stride, const Padding3d& padding,
                       SourceLocation at) {
  check({x.rank() == 5, at}, op, ": input must be [N,D,H,W,C], got ", x.shape());
  const int n = int(x.dim(0)), d = int(x.dim(1)), c = int(x.dim(4));
  const std::string words = text(window.d, "x", window.h, "x", window.w);
  VolumePool v;
  v.planes = {.n = n * d,
              .c = c,
              .h = int(x.dim(2)),
              .w = int(x.dim(3)),
              .r = window.h,
              .s = window.w,
              .stride_h = stride.h,
              .stride_w = stride.w,
              .pad_top = padding.top,
              .pad_bottom = padding.bottom,
              .pad_left = padding.left,
              .pad_right = padding.right};
  check_pool(op, v.planes, words, x, at);
  const int p = v.planes.p(), q = v.planes.q();
  check({int64_t{p} * q <= INT32_MAX / std::max(1, d), at}, op, ": ", x.shape(), " has too many positions");
  v.depth = {.n = n,
             .c = c,
             .h = d,
             .w = p * q,
             .r = window.d,
             .stride_h = stride.d,
             .pad_top = padding.front,
             .pad_bottom = padding.back};
  check_pool(op, v.depth, words, x, at);
  v.planes_shape = {n, d, p, q, c};
  v.shape = {n, v.depth.p(), p, q, c};
  return v;
}

}  // namespace detail

}  // namespace kern
