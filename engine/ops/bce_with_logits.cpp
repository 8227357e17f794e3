#include "engine/ops/bce_with_logits.h"

#include "engine/ops/op.h"
#include "kernels/loss/bce_with_logits.h"

namespace kern {

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const Tensor& weight, const BceOptions& o,
                       SourceLocation at) {
  const char* op = "bce_with_logits";
  check({logits.shape() == target.shape(), at}, op, ": logits ", logits.shape(), " and targets ", target.shape(),
        " must have one shape");
  check({!weight || weight.shape() == logits.shape(), at}, op, ": weights ", weight ? weight.shape() : Shape{},
        " must have the logits' shape ", logits.shape());
  check({logits.size() > 0, at}, op, ": ", logits.shape(), " has no values to average");
  check({o.pos_weight >= 0, at}, op, ": pos_weight must not be negative, got ", o.pos_weight);
  if (logits.dtype() == DType::bf16 || target.dtype() == DType::bf16)
    return bce_with_logits(as_float(logits), as_float(target), as_float(weight), o, at);
  const kernels::BceSpec g{.rows = logits.rows(),
                           .c = logits.channels(),
                           .pos_weight = o.pos_weight,
                           .by_weight = o.by_weight,
                           .w_pitch_given = weight ? weight.pitch() : 0,
                           .pitch = {.x = logits.pitch(), .y = target.pitch()}};
  const auto& impl = kernels::select(kernels::BceWithLogits::registry(), logits.device(), g, at);
  Tensor loss = Tensor::empty({1}, logits.options()), divisor = Tensor::empty({1}, logits.options());
  impl.forward(Workspace(logits.device(), impl.workspace(g)).exec(), g,
               {.x = logits.data(),
                .t = target.data(),
                .w = weight ? weight.data() : nullptr,
                .loss = loss.mutate(),
                .saved = divisor.mutate()});
  return record(
      op, {logits}, loss,
      [op, g, &impl, divisor, x = Saved(logits), t = Saved(target), w = Saved(weight)](const Tensor& dy, Grads& d) {
        if (!d.want(0)) return;
        impl.backward({}, g,
                      {.dy = dy.data(),
                       .x = x.get(op).data(),
                       .t = t.get(op).data(),
                       .w = w ? w.get(op).data() : nullptr,
                       .saved = divisor.data(),
                       .dx = d[0].mutate()});
      });
}

}  // namespace kern
