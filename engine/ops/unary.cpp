#include "kernels/elementwise/unary.h"

#include "engine/ops/op.h"
#include "engine/ops/unary.h"
#include "kernels/elementwise/unary_ops.h"

namespace kern {
namespace {

// y = op(x), any shape.
template <class T, class Op>
Tensor applied(const Op& op, const Tensor& x, const Tensor& slot, SourceLocation at) {
  kernels::UnarySpec<Op> g{.rows = x.rows(), .c = x.channels(), .op = op};
  const auto& row = kernels::select(kernels::unary_table<Op, T>(), x.device(), g, at);
  Tensor y = output_tensor(Op::kName, x.shape(), x.options(), slot, at);
  g.pitch.x = x.pitch();
  g.pitch.y = y.pitch();
  row.forward({}, g, x.data<T>(), y.mutate<T>());
  const Saved saved(Op::kSaves == kernels::Saves::input ? x : y);
  return record(Op::kName, {x}, y, [g, &row, saved](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    row.backward({}, g, dy.data<T>(), saved.get(Op::kName).template data<T>(), d[0].mutate<T>());
  });
}

template <class Op>
Tensor unary(const Op& op, const Tensor& x, const Tensor& slot, SourceLocation at) {
  return x.dtype() == DType::bf16 ? applied<Bf16>(op, x, slot, at) : applied<float>(op, x, slot, at);
}

}  // namespace

Tensor elu(const Tensor& x, float alpha, const Tensor& slot, SourceLocation at) {
  check({alpha >= 0, at}, "elu: alpha must not be negative, got ", alpha);
  return unary(kernels::Elu{alpha}, x, slot, at);
}

Tensor exp(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Exp{}, x, slot, at); }

Tensor gelu(const Tensor& x, GeluForm form, const Tensor& slot, SourceLocation at) {
  if (form == GeluForm::tanh) return unary(kernels::GeluTanh{}, x, slot, at);
  return unary(kernels::Gelu{}, x, slot, at);
}

Tensor hardswish(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary(kernels::Hardswish{}, x, slot, at);
}

Tensor leaky_relu(const Tensor& x, float slope, const Tensor& slot, SourceLocation at) {
  check({slope >= 0, at}, "leaky_relu: the slope must not be negative, got ", slope, "; prelu takes any slope");
  return unary(kernels::LeakyRelu{slope}, x, slot, at);
}

Tensor log(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Log{}, x, slot, at); }

Tensor relu(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Relu{}, x, slot, at); }

Tensor relu6(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Relu6{}, x, slot, at); }

Tensor affine(const Tensor& x, float a, float b, const Tensor& slot, SourceLocation at) {
  return unary(kernels::Affine{.a = a, .b = b}, x, slot, at);
}

Tensor sigmoid(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary(kernels::Sigmoid{}, x, slot, at);
}

Tensor silu(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Silu{}, x, slot, at); }

Tensor softplus(const Tensor& x, float beta, float threshold, const Tensor& slot, SourceLocation at) {
  check({beta > 0, at}, "softplus: beta must be positive, got ", beta);
  return unary(kernels::Softplus{.beta = beta, .threshold = threshold}, x, slot, at);
}

Tensor tanh(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Tanh{}, x, slot, at); }

Tensor square(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Square{}, x, slot, at); }

Tensor sqrt(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Sqrt{}, x, slot, at); }

Tensor reciprocal(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary(kernels::Reciprocal{}, x, slot, at);
}

Tensor pow(const Tensor& x, float p, const Tensor& slot, SourceLocation at) {
  check({std::isfinite(p), at}, "pow: the exponent must be a finite number, got ", p);
  if (p == 2) return square(x, slot, at);
  if (p == 0.5f) return sqrt(x, slot, at);
  if (p == -1) return reciprocal(x, slot, at);
  return unary(kernels::Pow{p}, x, slot, at);
}

Tensor abs(const Tensor& x, const Tensor& slot, SourceLocation at) { return unary(kernels::Abs{}, x, slot, at); }

Tensor clamp(const Tensor& x, float low, float high, const Tensor& slot, SourceLocation at) {
  check({low <= high, at}, "clamp: the lower limit ", low, " is above the upper one, ", high);
  return unary(kernels::Clamp{.low = low, .high = high}, x, slot, at);
}

}  // namespace kern
