#include "engine/ops/sum.h"

#include "engine/ops/op.h"
#include "kernels/reduce/sum.h"

namespace kern {
namespace {

Tensor scaled_sum(const char* op, const Tensor& x, double scale, SourceLocation at) {
  if (x.dtype() == DType::bf16) return scaled_sum(op, as_float(x), scale, at);
  const kernels::SumSpec g{.rows = x.rows(), .c = x.channels(), .scale = scale, .pitch = {.x = x.pitch()}};
  const auto& row = kernels::select(kernels::sum_table(), x.device(), g, at);
  Tensor y = Tensor::empty({1}, x.options());
  row.forward(Workspace(x.device(), row.workspace(g)).exec(), g, x.data(), y.mutate());
  return record(op, {x}, y, [g, &row](const Tensor& dy, Grads& d) {
    if (d.want(0)) row.backward({}, g, dy.data(), d[0].mutate());
  });
}

}  // namespace

Tensor sum(const Tensor& x, SourceLocation at) { return scaled_sum("sum", x, 1, at); }

Tensor mean(const Tensor& x, SourceLocation at) {
  check({x.size() > 0, at}, "mean: ", x.shape(), " has no values to average");
  return scaled_sum("mean", x, 1.0 / double(x.size()), at);
}

}  // namespace kern
