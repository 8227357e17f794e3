#include "engine/ops/avg_pool.h"

#include "engine/ops/op.h"
#include "engine/ops/pool.h"
#include "engine/trace.h"
#include "kernels/pool/avg_pool.h"

namespace kern {
namespace {

Tensor avg_pool(const char* op, kernels::AvgPoolSpec g, const Shape& y_shape, const Tensor& x, const Tensor& out,
                SourceLocation at) {
  if (x.dtype() == DType::bf16)
    return through_float(x, out, [&](const Tensor& v) { return avg_pool(op, g, y_shape, v, {}, at); });
  g.pool.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::AvgPool::registry(), x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), out, at);
  g.pool.pitch.y = y.pitch();
  impl.forward({}, g, {.x = x.data(), .y = y.mutate()});
  Trace::note(g);
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pool.pitch.dy = dy.pitch();
    impl.backward({}, g, {.dy = dy.data(), .dx = d[0].mutate()});
  });
}

}  // namespace

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& o, const Tensor& out, SourceLocation at) {
  const char* op = "avg_pool2d";
  const kernels::PoolSpec pool = detail::pool2d_spec(op, x, o.window, o.stride, o.padding, at);
  return avg_pool(op, {.pool = pool, .count_include_pad = o.count_include_pad}, detail::pooled_shape(pool, x), x, out,
                  at);
}

Tensor avg_pool1d(const Tensor& x, const AvgPool1dOptions& o, const Tensor& out, SourceLocation at) {
  const char* op = "avg_pool1d";
  const kernels::PoolSpec pool = detail::pool1d_spec(op, x, o.window, o.stride, o.padding, at);
  return avg_pool(op, {.pool = pool, .count_include_pad = o.count_include_pad}, detail::pooled_shape(pool, x), x, out,
                  at);
}

Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& o, const Tensor& out, SourceLocation at) {
  const detail::VolumePool v = detail::pool3d_spec("avg_pool3d", x, o.window, o.stride, o.padding, at);
  return detail::pooled_in_turn(
      v, "avg_pool3d_planes", "avg_pool3d_depth", x, out,
      [&](const char* name, const kernels::PoolSpec& g, const Shape& y_shape, const Tensor& in, const Tensor& to) {
        return avg_pool(name, {.pool = g, .count_include_pad = o.count_include_pad}, y_shape, in, to, at);
      });
}

}  // namespace kern
