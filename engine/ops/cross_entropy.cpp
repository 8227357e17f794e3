#include "engine/ops/cross_entropy.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/loss/cross_entropy.h"

namespace kern {

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const Tensor& weight, const CrossEntropyOptions& o,
                     SourceLocation at) {
  check_class_targets("cross_entropy", logits, target, at);
  check_class_weights("cross_entropy", weight, logits.channels(), at);
  check({o.smoothing >= 0 && o.smoothing <= 1, at}, "cross_entropy: smoothing must be 0 to 1, got ", o.smoothing);
  if (logits.dtype() == DType::bf16) return cross_entropy(as_float(logits), target, weight, o, at);
  const Tensor t = dense(target);
  const kernels::CrossEntropySpec g{
      .rows = logits.rows(), .k = logits.channels(), .smoothing = o.smoothing, .pitch = {.x = logits.pitch()}};
  const auto& impl = kernels::select(kernels::CrossEntropy::registry(), logits.device(), g, at);
  Tensor loss = Tensor::empty({1}, logits.options()), saved = Tensor::empty({g.saved().size()}, logits.options());
  impl.forward(Workspace(logits.device(), impl.workspace(g)).exec(), g,
               {.x = logits.data(),
                .target = t.data<int32_t>(),
                .weight = weight ? weight.data() : nullptr,
                .loss = loss.mutate(),
                .saved = saved.mutate()});
  return record("cross_entropy", {logits}, loss,
                [g, &impl, x = Saved(logits), t = Saved(t), w = Saved(weight), saved](const Tensor& dy, Grads& d) {
                  if (!d.want(0)) return;
                  const char* op = "cross_entropy";
                  impl.backward({}, g,
                                {.dy = dy.data(),
                                 .x = x.get(op).data(),
                                 .target = t.get(op).data<int32_t>(),
                                 .weight = w ? w.get(op).data() : nullptr,
                                 .saved = saved.data(),
                                 .dx = d[0].mutate()});
                });
}

}  // namespace kern
