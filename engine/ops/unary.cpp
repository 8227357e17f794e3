#include "kernels/elementwise/unary.h"

#include "engine/ops/op.h"
#include "engine/ops/unary.h"
#include "engine/trace.h"
#include "kernels/elementwise/unary_ops.h"

namespace kern {
namespace {

// y = op(x), any shape.
template <class T, class Op>
Tensor applied(const Op& op, const Tensor& x, const Tensor& out, SourceLocation at) {
  kernels::UnarySpec<Op> g{.rows = x.rows(), .c = x.channels(), .op = op};
  const auto& impl = kernels::select(kernels::unary_registry<Op, T>(), x.device(), g, at);
  Tensor y = output_tensor(Op::kName, x.shape(), x.options(), out, at);
  g.pitch.x = x.pitch();
  g.pitch.y = y.pitch();
  impl.forward({}, g, x.data<T>(), y.mutate<T>());
  const Saved saved(Op::kSaves == kernels::Saves::input ? x : y);
  Trace::note(op);
  return record(Op::kName, {x}, y, [g, &impl, saved](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    impl.backward({}, g, dy.data<T>(), saved.get(Op::kName).template data<T>(), d[0].mutate<T>());
  });
}

template <class Op>
Tensor unary(const Op& op, const Tensor& x, const Tensor& out, SourceLocation at) {
  return x.dtype() == DType::bf16 ? applied<Bf16>(op, x, out, at) : applied<float>(op, x, out, at);
}

}  // namespace

Tensor elu(const Tensor& x, float alpha, const Tensor& out, SourceLocation at) {
  check({alpha >= 0, at}, "elu: alpha must not be negative, got ", alpha);
  return unary(kernels::Elu{alpha}, x, out, at);
}

Tensor exp(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Exp{}, x, out, at); }

Tensor gelu(const Tensor& x, GeluForm form, const Tensor& out, SourceLocation at) {
  if (form == GeluForm::tanh) return unary(kernels::GeluTanh{}, x, out, at);
  return unary(kernels::Gelu{}, x, out, at);
}

Tensor hardswish(const Tensor& x, const Tensor& out, SourceLocation at) {
  return unary(kernels::Hardswish{}, x, out, at);
}

Tensor leaky_relu(const Tensor& x, float slope, const Tensor& out, SourceLocation at) {
  check({slope >= 0, at}, "leaky_relu: the slope must not be negative, got ", slope, "; prelu takes any slope");
  return unary(kernels::LeakyRelu{slope}, x, out, at);
}

Tensor log(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Log{}, x, out, at); }

Tensor relu(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Relu{}, x, out, at); }

Tensor relu6(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Relu6{}, x, out, at); }

Tensor affine(const Tensor& x, float a, float b, const Tensor& out, SourceLocation at) {
  return unary(kernels::Affine{.a = a, .b = b}, x, out, at);
}

Tensor sigmoid(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Sigmoid{}, x, out, at); }

Tensor silu(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Silu{}, x, out, at); }

Tensor softplus(const Tensor& x, float beta, float threshold, const Tensor& out, SourceLocation at) {
  check({beta > 0, at}, "softplus: beta must be positive, got ", beta);
  return unary(kernels::Softplus{.beta = beta, .threshold = threshold}, x, out, at);
}

Tensor tanh(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Tanh{}, x, out, at); }

Tensor square(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Square{}, x, out, at); }

Tensor sqrt(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Sqrt{}, x, out, at); }

Tensor reciprocal(const Tensor& x, const Tensor& out, SourceLocation at) {
  return unary(kernels::Reciprocal{}, x, out, at);
}

Tensor pow(const Tensor& x, float p, const Tensor& out, SourceLocation at) {
  check({std::isfinite(p), at}, "pow: the exponent must be a finite number, got ", p);
  if (p == 2) return square(x, out, at);
  if (p == 0.5f) return sqrt(x, out, at);
  if (p == -1) return reciprocal(x, out, at);
  return unary(kernels::Pow{p}, x, out, at);
}

Tensor abs(const Tensor& x, const Tensor& out, SourceLocation at) { return unary(kernels::Abs{}, x, out, at); }

Tensor clamp(const Tensor& x, float low, float high, const Tensor& out, SourceLocation at) {
  check({low <= high, at}, "clamp: the lower limit ", low, " is above the upper one, ", high);
  return unary(kernels::Clamp{.low = low, .high = high}, x, out, at);
}

}  // namespace kern
