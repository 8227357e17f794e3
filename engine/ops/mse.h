#pragma once
#include "engine/ops/op.h"
#include "kernels/mse.h"

namespace kern {

// The mean of (x - target)^2 over all values, two tensors of one shape -> [1].
inline Tensor mse(const Tensor& x, const Tensor& target, SourceLocation at = SourceLocation::current()) {
  check({x.shape() == target.shape(), at}, "mse: shapes ", x.shape(), " and ", target.shape(), " must be equal");
  check({x.size() > 0, at}, "mse: ", x.shape(), " has no values to average");
  const kernels::MseSpec g{.rows = x.rows(), .c = x.channels(), .pitch = {.x = x.pitch(), .y = target.pitch()}};
  const auto& row = kernels::select(kernels::mse_table(), x.device(), g, at);
  Tensor loss = Tensor::empty({1}, x.options());
  row.forward(Workspace(x.device(), row.workspace(g)).exec(), g, x.data(), target.data(), loss.mutate());
  return record("mse", {x, target}, loss, [g, &row, x = Saved(x), t = Saved(target)](const Tensor& dy, Grads& d) {
    const float *a = x.get("mse").data(), *b = t.get("mse").data();
    if (d.want(0)) row.backward({}, g, dy.data(), a, b, d[0].mutate());
    if (d.want(1)) row.backward({}, g.exchanged(), dy.data(), b, a, d[1].mutate());
  });
}

}  // namespace kern
