#include "engine/ops/tversky.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/loss/tversky.h"

namespace kern {

Tensor tversky(const Tensor& logits, const Tensor& target, const TverskyOptions& o, SourceLocation at) {
  check_class_targets("tversky", logits, target, at);
  check({o.alpha >= 0 && o.beta >= 0 && o.smooth >= 0, at},
        "tversky: alpha, beta and smooth must not be negative, got ", o.alpha, ", ", o.beta, ", ", o.smooth);
  if (logits.dtype() == DType::bf16) return tversky(as_float(logits), target, o, at);
  const Tensor t = dense(target);
  const int64_t groups = o.per_sample && logits.rank() > 1 ? logits.dim(0) : 1;
  const kernels::TverskySpec g{.groups = groups,
                               .rows = groups > 0 ? logits.rows() / groups : 0,
                               .k = logits.channels(),
                               .alpha = o.alpha,
                               .beta = o.beta,
                               .smooth = o.smooth,
                               .pitch = {.x = logits.pitch()}};
  const auto& impl = kernels::select(kernels::Tversky::registry(), logits.device(), g, at);
  Tensor loss = Tensor::empty({1}, logits.options()), saved = Tensor::empty({g.sums().size()}, logits.options());
  impl.forward(Workspace(logits.device(), impl.workspace(g)).exec(), g,
               {.x = logits.data(), .target = t.data<int32_t>(), .loss = loss.mutate(), .saved = saved.mutate()});
  return record("tversky", {logits}, loss,
                [g, &impl, x = Saved(logits), t = Saved(t), saved](const Tensor& dy, Grads& d) {
                  if (d.want(0))
                    impl.backward({}, g,
                                  {.dy = dy.data(),
                                   .x = x.get("tversky").data(),
                                   .target = t.get("tversky").data<int32_t>(),
                                   .saved = saved.data(),
                                   .dx = d[0].mutate()});
                });
}

}  // namespace kern
