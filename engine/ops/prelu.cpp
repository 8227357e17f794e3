#include "engine/ops/prelu.h"

#include "engine/ops/op.h"
#include "kernels/elementwise/prelu.h"

namespace kern {

Tensor prelu(const Tensor& x, const Tensor& slope, const Tensor& out, SourceLocation at) {
  check({slope.rank() == 1 && (slope.dim(0) == 1 || slope.dim(0) == x.channels()), at}, "prelu: input ", x.shape(),
        " needs a slope of shape [1] (shared) or [", x.channels(), "] (one per channel), got ", slope.shape());
  if (x.dtype() == DType::bf16) return through_float(x, out, [&](const Tensor& v) { return prelu(v, slope, {}, at); });
  kernels::PreluSpec g{.rows = x.rows(), .c = x.channels(), .slopes = slope.dim(0)};
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::Prelu::registry(), x.device(), g, at);
  Tensor y = output_tensor("prelu", x.shape(), x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward({}, g, {.x = x.data(), .slope = slope.data(), .y = y.mutate()});
  return record("prelu", {x, slope}, y,
                [g, &impl, x = Saved(x), slope = Saved(slope)](const Tensor& dy, Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  const Workspace workspace(dy.device(), impl.workspace(g));
                  impl.backward(workspace.exec(), g,
                                {.dy = dy.data(),
                                 .x = x.get("prelu").data(),
                                 .slope = slope.get("prelu").data(),
                                 .dx = d.want(0) ? d[0].mutate() : nullptr,
                                 .dslope = d.want(1) ? d[1].mutate() : nullptr});
                });
}

}  // namespace kern
