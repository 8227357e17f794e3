#include "engine/ops/broadcast.h"

#include "engine/ops/add.h"
#include "engine/ops/op.h"
#include "engine/ops/strides.h"
#include "engine/ops/unary.h"
#include "engine/trace.h"
#include "kernels/elementwise/broadcast_ops.h"

namespace kern {
namespace {

template <class Op>
Tensor broadcast(const Tensor& a, const Tensor& b, SourceLocation at, const char* name = Op::kName) {
  if (a.dtype() == DType::bf16 || b.dtype() == DType::bf16) return broadcast<Op>(as_float(a), as_float(b), at, name);
  check({a.device() == b.device(), at}, name, ": one input is on ", a.device(), ", the other on ", b.device());
  const Shape shape = detail::broadcast_shape(name, a.shape(), b.shape(), at);
  const std::vector<int64_t> strides[] = {detail::broadcast_strides(a, shape), detail::broadcast_strides(b, shape)};
  const detail::StridedLoop loop = detail::strided_loop({shape.begin(), shape.end()}, strides);
  const kernels::BroadcastSpec g{.sizes = loop.sizes, .a = loop.strides[0], .b = loop.strides[1]};
  const auto& impl = kernels::select(kernels::broadcast_registry<Op>(), a.device(), g, at);
  Tensor y = Tensor::empty(shape, a.options());
  impl.forward({}, g, a.data(), b.data(), y.mutate());
  if (std::is_base_of_v<kernels::Comparison, Op>) {  // a constant, as far as gradients go
    if (Trace* const trace = Trace::current()) trace->add(name, {a, b}, y);
    return y;
  }
  return record(name, {a, b}, y, [name, g, &impl, a = Saved(a), b = Saved(b)](const Tensor& dy_, Grads& d) {
    const Tensor dy = dense(dy_), &u = a.get(name), &v = b.get(name);
    // In y's shape, then summed over what was repeated; at once where nothing was.
    const auto give = [&](size_t i, const Tensor& of, auto entry) {
      const bool whole = of.shape() == dy.shape();
      Tensor full = whole ? d[i] : Tensor::empty(dy.shape(), dy.options());
      (impl.*entry)({}, g, dy.data(), u.data(), v.data(), full.mutate());
      if (!whole) d.set(i, detail::sum_to(full, of.shape()));
    };
    if (d.want(0)) give(0, u, &kernels::BroadcastImpl<Op>::backward_a);
    if (d.want(1)) give(1, v, &kernels::BroadcastImpl<Op>::backward_b);
  });
}
template <class Op>
Tensor operands(const Operand& a, const Operand& b, SourceLocation at) {
  check({!a.is_number() || !b.is_number(), at}, Op::kName, ": one side must be a tensor");
  return broadcast<Op>(a.beside(b), b.beside(a), at);
}

}  // namespace

namespace detail {
Tensor add_broadcast(const Tensor& a, const Tensor& b, SourceLocation at) {
  return broadcast<kernels::AddBroadcast>(a, b, at, "add");
}
Tensor mul_broadcast(const Tensor& a, const Tensor& b, SourceLocation at) {
  return broadcast<kernels::MulBroadcast>(a, b, at, "mul");
}
}  // namespace detail

Tensor sub(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Sub>(a, b, at); }
Tensor div(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Div>(a, b, at); }
Tensor maximum(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Maximum>(a, b, at); }
Tensor minimum(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Minimum>(a, b, at); }
Tensor less(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Less>(a, b, at); }
Tensor less_equal(const Operand& a, const Operand& b, SourceLocation at) {
  return operands<kernels::LessEqual>(a, b, at);
}
Tensor greater(const Operand& a, const Operand& b, SourceLocation at) { return less(b, a, at); }
Tensor greater_equal(const Operand& a, const Operand& b, SourceLocation at) { return less_equal(b, a, at); }
Tensor equal(const Operand& a, const Operand& b, SourceLocation at) { return operands<kernels::Equal>(a, b, at); }
Tensor not_equal(const Operand& a, const Operand& b, SourceLocation at) { return affine(equal(a, b, at), -1, 1); }

Tensor where(const Tensor& condition, const Operand& a, const Operand& b, SourceLocation at) {
  return add(broadcast<kernels::Keep>(condition, a.beside(condition), at),
             broadcast<kernels::Drop>(condition, b.beside(condition), at), {}, at);
}

}  // namespace kern
