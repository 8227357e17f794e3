// Every loss that compares value by value (kernels/loss/pair_loss.h).
#include "kernels/loss/pair_loss.h"

#include "engine/ops/huber.h"
#include "engine/ops/l1.h"
#include "engine/ops/mse.h"
#include "engine/ops/op.h"
#include "kernels/loss/huber.h"
#include "kernels/loss/l1.h"
#include "kernels/loss/mse.h"

namespace kern {
namespace {

// Two tensors of one shape -> [1]; gradients go to both.
template <class Op>
Tensor pair_loss(const Op& op, const Tensor& x, const Tensor& target, SourceLocation at) {
  const char* name = Op::kName;
  check({x.shape() == target.shape(), at}, name, ": shapes ", x.shape(), " and ", target.shape(), " must be equal");
  check({x.size() > 0, at}, name, ": ", x.shape(), " has no values to average");
  if (x.dtype() == DType::bf16 || target.dtype() == DType::bf16)
    return pair_loss(op, as_float(x), as_float(target), at);
  const kernels::PairLossSpec<Op> g{
      .rows = x.rows(), .c = x.channels(), .op = op, .pitch = {.x = x.pitch(), .y = target.pitch()}};
  const auto& impl = kernels::select(kernels::PairLoss<Op>::registry(), x.device(), g, at);
  Tensor loss = Tensor::empty({1}, x.options());
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g,
               {.x = x.data(), .t = target.data(), .loss = loss.mutate()});
  return record(name, {x, target}, loss, [name, g, &impl, x = Saved(x), t = Saved(target)](const Tensor& dy, Grads& d) {
    const float *a = x.get(name).data(), *b = t.get(name).data();
    if (d.want(0)) impl.backward({}, g, {dy.data(), a, b, d[0].mutate()});
    if (d.want(1)) impl.backward({}, g.exchanged(), {dy.data(), b, a, d[1].mutate()});
  });
}

}  // namespace

Tensor huber(const Tensor& x, const Tensor& target, float delta, SourceLocation at) {
  check({delta > 0, at}, "huber: delta must be positive, got ", delta);
  return pair_loss(kernels::Huber{delta}, x, target, at);
}

Tensor l1(const Tensor& x, const Tensor& target, SourceLocation at) { return pair_loss(kernels::L1{}, x, target, at); }

Tensor mse(const Tensor& x, const Tensor& target, SourceLocation at) {
  return pair_loss(kernels::Mse{}, x, target, at);
}

}  // namespace kern
