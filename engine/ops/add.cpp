#include "engine/ops/add.h"

#include "engine/ops/binary.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/op.h"
#include "kernels/elementwise/add.h"

namespace kern {
namespace {

// T: what a, b and y are kept as, without a conversion in between.
template <class T>
Tensor sum_of(const Tensor& a, const Tensor& b, const Tensor& out, SourceLocation at) {
  kernels::BinarySpec g = detail::binary_spec("add", a, b, at);
  const auto& impl = kernels::select(kernels::add_registry<T>(), a.device(), g, at);
  Tensor y = output_tensor("add", a.shape(), a.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, a.data<T>(), b.data<T>(), y.mutate<T>());
  return record("add", {a, b}, y, [g, &impl](const Tensor& dy, Grads& d) mutable {
    if (d.want(0)) d.set(0, dy);
    if (!d.want(1)) return;
    if (!g.vector) return d.set(1, dy);
    internal_check(impl.backward_vector != nullptr, "add: a vector is a parameter, and those are float");
    g.pitch.dy = dy.pitch();
    impl.backward_vector(Workspace(dy.device(), impl.workspace(g)).exec(), g, dy.data<float>(), d[1].mutate<float>());
  });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, const Tensor& out, SourceLocation at) {
  if (!detail::fits_binary(a, b) && !out) return detail::add_broadcast(a, b, at);
  if (a.dtype() == DType::bf16 && b.dtype() == DType::bf16 && a.shape() == b.shape())
    return sum_of<Bf16>(a, b, out, at);
  if (a.dtype() == DType::bf16)
    return through_float(a, out, [&](const Tensor& v) { return add(v, as_float(b), {}, at); });
  return sum_of<float>(a, as_float(b), out, at);
}

}  // namespace kern
