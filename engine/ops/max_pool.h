#pragma once
#include "engine/ops/pool.h"
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
inline Tensor max_pool(const char* op, kernels::MaxPoolSpec g, const Tensor& x, const Tensor& slot, SourceLocation at) {
  const auto& row = kernels::select(kernels::max_pool_table(), x.device(), g, at);
  Tensor y = output_tensor(op, pooled_shape(g, x), x.options(), slot, at);
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
  const char* op = "max_pool2d";
  return detail::max_pool(op, detail::pool2d_spec(op, x, o.window, o.stride, o.padding, at), x, slot, at);
}

// x [N,L,C] -> y [N,Q,C].
inline Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o = {}, const Tensor& slot = {},
                         SourceLocation at = SourceLocation::current()) {
  const char* op = "max_pool1d";
  return detail::max_pool(op, detail::pool1d_spec(op, x, o.window, o.stride, o.padding, at), x, slot, at);
}

}  // namespace kern
