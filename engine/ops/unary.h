// The differentiable form of every element-wise op of one input (kernels/common/unary.h).
#pragma once
#include "engine/ops/op.h"
#include "kernels/common/unary.h"

namespace kern {

// y = op(x), any shape.
template <class Op>
Tensor unary(const char* name, const kernels::Table<kernels::UnaryRow<Op>>& table, const Op& op, const Tensor& x,
             const Tensor& slot, SourceLocation at) {
  kernels::UnarySpec<Op> g{.rows = x.rows(), .c = x.channels(), .op = op};
  const auto& row = kernels::select(table, x.device(), g, at);
  Tensor y = output_tensor(name, x.shape(), x.options(), slot, at);
  g.pitch.x = x.pitch();
  g.pitch.y = y.pitch();
  row.forward({}, g, x.data(), y.mutate());
  const Saved saved(Op::kSaves == kernels::Saves::input ? x : y);
  return record(name, {x}, y, [name, g, &row, saved](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    row.backward({}, g, dy.data(), saved.get(name).data(), d[0].mutate());
  });
}

}  // namespace kern
