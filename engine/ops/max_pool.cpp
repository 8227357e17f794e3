#include "engine/ops/max_pool.h"

#include "engine/ops/op.h"
#include "engine/ops/pool.h"
#include "kernels/max_pool.h"

namespace kern {
namespace {

Tensor max_pool(const char* op, kernels::MaxPoolSpec g, const Tensor& x, const Tensor& slot, SourceLocation at) {
  const auto& row = kernels::select(kernels::max_pool_table(), x.device(), g, at);
  Tensor y = output_tensor(op, detail::pooled_shape(g, x), x.options(), slot, at);
  g.pitch.y = y.pitch();
  row.forward({}, g, x.data(), y.mutate());
  return record(op, {x}, y, [op, g, &row, x = Saved(x)](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    row.backward({}, g, dy.data(), x.get(op).data(), d[0].mutate());
  });
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o, const Tensor& slot, SourceLocation at) {
  const char* op = "max_pool2d";
  return max_pool(op, detail::pool2d_spec(op, x, o.window, o.stride, o.padding, at), x, slot, at);
}

Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o, const Tensor& slot, SourceLocation at) {
  const char* op = "max_pool1d";
  return max_pool(op, detail::pool1d_spec(op, x, o.window, o.stride, o.padding, at), x, slot, at);
}

}  // namespace kern
