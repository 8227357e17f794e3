#include "engine/ops/monotone_posteriors.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/labels/monotone_posteriors.h"

namespace kern {

Tensor monotone_posteriors(const Tensor& p, const Tensor& present, SourceLocation at) {
  check({p.rank() == 3, at}, "classes can be in order along signals [N,L,C], not in what has the shape ", p.shape());
  check_class_targets("monotone_posteriors", p, present, at);
  const Tensor of = dense(as_float(p.detach())), there = dense(present);
  const kernels::MonotonePosteriorsSpec g{.n = p.dim(0), .l = p.dim(1), .c = p.dim(2)};
  const auto& impl = kernels::select(kernels::monotone_posteriors_registry(), p.device(), g, at);
  Tensor q = Tensor::empty(p.shape(), of.options());
  impl.forward(Workspace(p.device(), impl.workspace(g)).exec(), g, of.data(), there.data<int32_t>(), q.mutate());
  return q;
}

}  // namespace kern
