#include "engine/ops/posteriors_in_order.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/labels/posteriors_in_order.h"

namespace kern {

Tensor posteriors_in_order(const Tensor& p, const Tensor& present, SourceLocation at) {
  check({p.rank() == 3, at}, "classes can be in order along signals [N,L,C], not in what has the shape ", p.shape());
  check_class_targets("posteriors_in_order", p, present, at);
  const Tensor of = dense(as_float(p.detach())), there = dense(present);
  const kernels::PosteriorsInOrderSpec g{.n = p.dim(0), .l = p.dim(1), .c = p.dim(2)};
  const auto& row = kernels::select(kernels::posteriors_in_order_table(), p.device(), g, at);
  Tensor q = Tensor::empty(p.shape(), of.options());
  row.forward(Workspace(p.device(), row.workspace(g)).exec(), g, of.data(), there.data<int32_t>(), q.mutate());
  return q;
}

}  // namespace kern
