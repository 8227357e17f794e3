#include "engine/ops/cast.h"

#include "engine/ops/op.h"
#include "kernels/common/precision.h"
#include "kernels/elementwise/cast.h"

namespace kern {
namespace {

void cast_into(const Tensor& x, Tensor& y) {
  const kernels::CastSpec g{.rows = x.rows(), .c = x.channels(), .pitch = {.x = x.pitch(), .y = y.pitch()}};
  const auto& impl = kernels::select(kernels::cast_registry(), x.device(), g);
  if (x.dtype() == DType::f32) impl.narrow({}, g, x.data(), y.mutate<Bf16>());
  else impl.widen({}, g, x.data<Bf16>(), y.mutate());
}

}  // namespace

Tensor cast(const Tensor& x, DType to, const Tensor& out, SourceLocation at) {
  auto known = [](DType t) { return t == DType::f32 || t == DType::bf16; };
  check({known(x.dtype()) && known(to), at}, "cast: only f32 and bf16 become one another, not ", x.dtype(), " ", to);
  if (x.dtype() == to && !out) return x;
  Tensor y = output_tensor("cast", x.shape(), {.dtype = to, .device = x.device()}, out, at);
  if (x.dtype() == to) y.copy_from(x);
  else cast_into(x, y);
  return record("cast", {x}, y, [](const Tensor& dy, Grads& d) {
    if (!d.want(0)) return;
    Tensor& dx = d[0];
    if (dx.dtype() == dy.dtype()) dx.copy_from(dy);
    else cast_into(dy, dx);
  });
}

TensorOptions activation_options(const Tensor& x) {
  const bool kept = x.device() == Device::cuda && kernels::precision() == kernels::Precision::bf16;
  return kept ? TensorOptions{.dtype = DType::bf16, .device = Device::cuda} : x.options();
}

}  // namespace kern
