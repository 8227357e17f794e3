// Every element-wise op of one input (kernels/common/unary.h).
#include "kernels/common/unary.h"

#include "engine/ops/elu.h"
#include "engine/ops/exp.h"
#include "engine/ops/gelu.h"
#include "engine/ops/hardswish.h"
#include "engine/ops/leaky_relu.h"
#include "engine/ops/log.h"
#include "engine/ops/op.h"
#include "engine/ops/relu.h"
#include "engine/ops/relu6.h"
#include "engine/ops/scale.h"
#include "engine/ops/sigmoid.h"
#include "engine/ops/silu.h"
#include "engine/ops/softplus.h"
#include "engine/ops/tanh.h"
#include "kernels/elu.h"
#include "kernels/exp.h"
#include "kernels/gelu.h"
#include "kernels/gelu_tanh.h"
#include "kernels/hardswish.h"
#include "kernels/leaky_relu.h"
#include "kernels/log.h"
#include "kernels/relu.h"
#include "kernels/relu6.h"
#include "kernels/scale.h"
#include "kernels/sigmoid.h"
#include "kernels/silu.h"
#include "kernels/softplus.h"
#include "kernels/tanh.h"

namespace kern {
namespace {

// y = op(x), any shape.
template <class T, class Op>
Tensor applied(const char* name, const kernels::Table<kernels::UnaryRow<Op, T>>& table, const Op& op, const Tensor& x,
               const Tensor& slot, SourceLocation at) {
  kernels::UnarySpec<Op> g{.rows = x.rows(), .c = x.channels(), .op = op};
  const auto& row = kernels::select(table, x.device(), g, at);
  Tensor y = output_tensor(name, x.shape(), x.options(), slot, at);
  g.pitch.x = x.pitch();
  g.pitch.y = y.pitch();
  row.forward({}, g, x.data<T>(), y.mutate<T>());
  const Saved saved(Op::kSaves == kernels::Saves::input ? x : y);
  return record(name, {x}, y, [name, g, &row, saved](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    row.backward({}, g, dy.data<T>(), saved.get(name).template data<T>(), d[0].mutate<T>());
  });
}

template <class Op>
Tensor unary(const char* name, const kernels::Table<kernels::UnaryRow<Op>>& table, const Op& op, const Tensor& x,
             const Tensor& slot, SourceLocation at) {
  if (x.dtype() == DType::bf16) return applied<Bf16>(name, kernels::unary_table<Op, Bf16>(table.op), op, x, slot, at);
  return applied<float>(name, table, op, x, slot, at);
}

}  // namespace

Tensor elu(const Tensor& x, float alpha, const Tensor& slot, SourceLocation at) {
  check({alpha >= 0, at}, "elu: alpha must not be negative, got ", alpha);
  return unary("elu", kernels::elu_table(), kernels::Elu{alpha}, x, slot, at);
}

Tensor exp(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("exp", kernels::exp_table(), kernels::Exp{}, x, slot, at);
}

Tensor gelu(const Tensor& x, GeluForm form, const Tensor& slot, SourceLocation at) {
  if (form == GeluForm::tanh) return unary("gelu_tanh", kernels::gelu_tanh_table(), kernels::GeluTanh{}, x, slot, at);
  return unary("gelu", kernels::gelu_table(), kernels::Gelu{}, x, slot, at);
}

Tensor hardswish(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("hardswish", kernels::hardswish_table(), kernels::Hardswish{}, x, slot, at);
}

Tensor leaky_relu(const Tensor& x, float slope, const Tensor& slot, SourceLocation at) {
  check({slope >= 0, at}, "leaky_relu: the slope must not be negative, got ", slope, "; prelu takes any slope");
  return unary("leaky_relu", kernels::leaky_relu_table(), kernels::LeakyRelu{slope}, x, slot, at);
}

Tensor log(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("log", kernels::log_table(), kernels::Log{}, x, slot, at);
}

Tensor relu(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("relu", kernels::relu_table(), kernels::Relu{}, x, slot, at);
}

Tensor relu6(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("relu6", kernels::relu6_table(), kernels::Relu6{}, x, slot, at);
}

Tensor scale(const Tensor& x, float a, float b, const Tensor& slot, SourceLocation at) {
  return unary("scale", kernels::scale_table(), kernels::Scale{.a = a, .b = b}, x, slot, at);
}

Tensor sigmoid(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("sigmoid", kernels::sigmoid_table(), kernels::Sigmoid{}, x, slot, at);
}

Tensor silu(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("silu", kernels::silu_table(), kernels::Silu{}, x, slot, at);
}

Tensor softplus(const Tensor& x, float beta, float threshold, const Tensor& slot, SourceLocation at) {
  check({beta > 0, at}, "softplus: beta must be positive, got ", beta);
  return unary("softplus", kernels::softplus_table(), kernels::Softplus{.beta = beta, .threshold = threshold}, x, slot,
               at);
}

Tensor tanh(const Tensor& x, const Tensor& slot, SourceLocation at) {
  return unary("tanh", kernels::tanh_table(), kernels::Tanh{}, x, slot, at);
}

}  // namespace kern
