#include "engine/ops/softmax.h"

#include "engine/ops/log_softmax.h"
#include "engine/ops/op.h"
#include "kernels/softmax/log_softmax.h"
#include "kernels/softmax/softmax.h"

namespace kern {
namespace {

// An op over the channels of each position whose backward looks at its output.
template <class Op>
Tensor over_channels(const Tensor& x, const Tensor& out, SourceLocation at) {
  const char* op = Op::kName;
  check({x.rank() >= 1 && x.channels() >= 1, at}, op, ": input must have channels, got ", x.shape());
  if (x.dtype() == DType::bf16) return over_channels<Op>(as_float(x), out, at);
  kernels::SoftmaxSpec g{.rows = x.rows(), .c = x.channels()};
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(Op::registry(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, {.x = x.data(), .y = y.mutate()});
  return record(op, {x}, y, [op, g, &impl, y = Saved(y)](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    impl.backward({}, g, {.dy = dy.data(), .y = y.get(op).data(), .dx = d[0].mutate()});
  });
}

}  // namespace

Tensor softmax(const Tensor& x, const Tensor& out, SourceLocation at) {
  return over_channels<kernels::Softmax>(x, out, at);
}

Tensor log_softmax(const Tensor& x, const Tensor& out, SourceLocation at) {
  return over_channels<kernels::LogSoftmax>(x, out, at);
}

}  // namespace kern
