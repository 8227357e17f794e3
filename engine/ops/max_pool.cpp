#include "engine/ops/max_pool.h"

#include "engine/ops/op.h"
#include "engine/ops/pool.h"
#include "engine/trace.h"
#include "kernels/pool/max_pool.h"

namespace kern {
namespace {

template <class T>
Tensor max_pool_of(const char* op, kernels::MaxPoolSpec g, const Shape& y_shape, const Tensor& x, const Tensor& out,
                   SourceLocation at) {
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::max_pool_registry<T>(), x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, x.data<T>(), y.mutate<T>());
  Trace::note(g);
  return record(op, {x}, y, [op, g, &impl, x = Saved(x)](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    impl.backward({}, g, dy.data<T>(), x.get(op).template data<T>(), d[0].mutate<T>());
  });
}
Tensor max_pool(const char* op, const kernels::MaxPoolSpec& g, const Shape& y_shape, const Tensor& x, const Tensor& out,
                SourceLocation at) {
  return x.dtype() == DType::bf16 ? max_pool_of<Bf16>(op, g, y_shape, x, out, at)
                                  : max_pool_of<float>(op, g, y_shape, x, out, at);
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& o, const Tensor& out, SourceLocation at) {
  const char* op = "max_pool2d";
  const kernels::MaxPoolSpec g = detail::pool2d_spec(op, x, o.window, o.stride, o.padding, at);
  return max_pool(op, g, detail::pooled_shape(g, x), x, out, at);
}

Tensor max_pool1d(const Tensor& x, const MaxPool1dOptions& o, const Tensor& out, SourceLocation at) {
  const char* op = "max_pool1d";
  const kernels::MaxPoolSpec g = detail::pool1d_spec(op, x, o.window, o.stride, o.padding, at);
  return max_pool(op, g, detail::pooled_shape(g, x), x, out, at);
}

Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& o, const Tensor& out, SourceLocation at) {
  const detail::VolumePool v = detail::pool3d_spec("max_pool3d", x, o.window, o.stride, o.padding, at);
  return detail::pooled_in_turn(
      v, "max_pool3d_planes", "max_pool3d_depth", x, out,
      [at](const char* name, const kernels::PoolSpec& g, const Shape& y_shape, const Tensor& in, const Tensor& to) {
        return max_pool(name, g, y_shape, in, to, at);
      });
}

}  // namespace kern
