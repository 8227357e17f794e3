#include "engine/ops/mul.h"

#include "engine/ops/binary.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/op.h"
#include "kernels/elementwise/mul.h"

namespace kern {

Tensor mul(const Tensor& a, const Tensor& b, const Tensor& out, SourceLocation at) {
  if (!detail::fits_binary(a, b) && !out) return detail::mul_broadcast(a, b, at);
  if (a.dtype() == DType::bf16)
    return through_float(a, out, [&](const Tensor& v) { return mul(v, as_float(b), {}, at); });
  if (b.dtype() == DType::bf16) return mul(a, as_float(b), out, at);
  kernels::BinarySpec g = detail::binary_spec("mul", a, b, at);
  const auto& impl = kernels::select(kernels::mul_registry(), a.device(), g, at);
  Tensor y = output_tensor("mul", a.shape(), a.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, a.data(), b.data(), y.mutate());
  return record("mul", {a, b}, y, [g, &impl, a = Saved(a), b = Saved(b)](const Tensor& dy, Grads& d) mutable {
    kernels::BinarySpec by = g;  // dy takes the place of a
    by.pitch = {.x = dy.pitch()};
    if (d.want(0)) impl.forward({}, by, dy.data(), b.get("mul").data(), d[0].mutate());
    if (!d.want(1)) return;
    const Tensor& saved = a.get("mul");
    if (g.vector) {
      g.pitch.dy = dy.pitch();
      impl.backward_vector(Workspace(dy.device(), impl.workspace(g)).exec(), g, dy.data(), saved.data(), d[1].mutate());
    } else {
      by.b_pitch = saved.pitch();
      impl.forward({}, by, dy.data(), saved.data(), d[1].mutate());
    }
  });
}

}  // namespace kern
