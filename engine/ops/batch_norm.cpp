#include "engine/ops/batch_norm.h"

#include "engine/ops/norm_act.h"
#include "engine/ops/op.h"
#include "engine/rank_norms.h"
#include "engine/trace.h"
#include "kernels/norm/batch_norm.h"

namespace kern {

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                  Tensor running_variance, const BatchNormOptions& o, const Tensor& out, SourceLocation at) {
  const char* op = "batch_norm";
  const int64_t c = x.channels();
  check({x.rank() >= 2, at}, op, ": input must be [N,C], [N,L,C] or [N,H,W,C], got ", x.shape());
  if (o.training && RankNorms::current())
    return norm_act(
        x, {.weight = weight, .bias = bias, .running_mean = running_mean, .running_variance = running_variance},
        {.momentum = o.momentum, .eps = o.eps}, out, default_generator(), at);
  check({!o.training || x.rows() != 1, at}, op, ": statistics over one value per channel are meaningless, input is ",
        x.shape(), "; use a larger batch, or training = false");
  check({!weight || weight.shape() == Shape{c}, at}, op, ": weight must be [", c, "], got ",
        weight ? weight.shape() : Shape{});
  check({!bias || bias.shape() == Shape{c}, at}, op, ": bias must be [", c, "], got ", bias ? bias.shape() : Shape{});
  check({bool(running_mean) == bool(running_variance), at}, op,
        ": running mean and variance come together or not at all");
  check({o.training || running_mean, at}, op, ": without training the running mean and variance must be given");
  check({!running_mean || (running_mean.shape() == Shape{c} && running_variance.shape() == Shape{c}), at}, op,
        ": running mean and variance must be [", c, "], got ", running_mean ? running_mean.shape() : Shape{}, " and ",
        running_variance ? running_variance.shape() : Shape{});
  if (x.dtype() == DType::bf16)
    return through_float(x, out, [&](const Tensor& v) {
      return batch_norm(v, weight, bias, running_mean, running_variance, o, {}, at);
    });
  kernels::BatchNormSpec g{.rows = x.rows(), .c = c, .eps = o.eps, .momentum = o.momentum, .frozen = !o.training};
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::batch_norm_registry(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), out, at);
  g.pitch.y = y.pitch();
  Tensor mean = Tensor::empty({c}, x.options()), inverse_deviation = Tensor::empty({c}, x.options());
  // Frozen statistics are only read: that must not count as a write.
  auto running = [&](Tensor& t) { return !t ? nullptr : o.training ? t.mutate() : const_cast<float*>(t.data()); };
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, x.data(), weight ? weight.data() : nullptr,
               bias ? bias.data() : nullptr, running(running_mean), running(running_variance), y.mutate(),
               mean.mutate(), inverse_deviation.mutate());
  Trace::note(g, {running_mean, running_variance});
  return record(op, {x, weight, bias}, y,
                [op, g, &impl, x = Saved(x), weight = Saved(weight), mean, inverse_deviation](const Tensor& dy,
                                                                                              Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  const Workspace workspace(dy.device(), impl.workspace(g));
                  impl.backward(workspace.exec(), g, dy.data(), x.get(op).data(),
                                weight ? weight.get(op).data() : nullptr, mean.data(), inverse_deviation.data(),
                                d.want(0) ? d[0].mutate() : nullptr, d.want(1) ? d[1].mutate() : nullptr,
                                d.want(2) ? d[2].mutate() : nullptr);
                });
}

}  // namespace kern
