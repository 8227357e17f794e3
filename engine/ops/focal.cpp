#include "engine/ops/focal.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/loss/focal.h"

namespace kern {

Tensor focal(const Tensor& logits, const Tensor& target, const FocalOptions& o, const Tensor& weight,
             SourceLocation at) {
  const char* op = "focal";
  check_class_targets(op, logits, target, at);
  const bool binary = kernels::is_binary(logits.channels());
  check({o.gamma >= 0, at}, op, ": gamma must not be negative, got ", o.gamma);
  check({o.alpha <= 1 && (binary || o.alpha < 0), at}, op, ": alpha ", o.alpha, " does not fit ", logits.channels(),
        " logits; with one it must be at most 1, with several give the weights of the classes instead");
  check({!binary || !weight, at}, op, ": with one logit there are no class weights; give alpha");
  check_class_weights(op, weight, logits.channels(), at);
  if (logits.dtype() == DType::bf16) return focal(as_float(logits), target, o, weight, at);
  const Tensor t = dense(target);
  const kernels::FocalSpec g{.rows = logits.rows(),
                             .k = logits.channels(),
                             .gamma = o.gamma,
                             .alpha = o.alpha,
                             .pitch = {.x = logits.pitch()}};
  const auto& impl = kernels::select(kernels::Focal::registry(), logits.device(), g, at);
  Tensor loss = Tensor::empty({1}, logits.options()), count = Tensor::empty({1}, logits.options());
  impl.forward(Workspace(logits.device(), impl.workspace(g)).exec(), g,
               {.x = logits.data(),
                .target = t.data<int32_t>(),
                .weight = weight ? weight.data() : nullptr,
                .loss = loss.mutate(),
                .saved = count.mutate()});
  return record(op, {logits}, loss,
                [op, g, &impl, x = Saved(logits), t = Saved(t), w = Saved(weight), count](const Tensor& dy, Grads& d) {
                  if (!d.want(0)) return;
                  impl.backward({}, g,
                                {.dy = dy.data(),
                                 .x = x.get(op).data(),
                                 .target = t.get(op).data<int32_t>(),
                                 .weight = w ? w.get(op).data() : nullptr,
                                 .saved = count.data(),
                                 .dx = d[0].mutate()});
                });
}

}  // namespace kern
