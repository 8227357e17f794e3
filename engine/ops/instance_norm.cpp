#include "engine/ops/instance_norm.h"

#include "engine/ops/op.h"
#include "kernels/instance_norm.h"

namespace kern {

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps, const Tensor& slot,
                     SourceLocation at) {
  const char* op = "instance_norm";
  check({x.rank() >= 3, at}, op, ": input must be [N,L,C] or [N,H,W,C], got ", x.shape());
  const int64_t n = x.dim(0), l = n > 0 ? x.rows() / n : 1, c = x.channels();
  check({l > 1 || n == 0, at}, op, ": statistics over one position are meaningless, input is ", x.shape(),
        "; use a larger input or no norm here");
  check({!weight || weight.shape() == Shape{c}, at}, op, ": weight must be [", c, "], got ",
        weight ? weight.shape() : Shape{});
  check({!bias || bias.shape() == Shape{c}, at}, op, ": bias must be [", c, "], got ", bias ? bias.shape() : Shape{});
  kernels::InstanceNormSpec g{.n = n, .l = l, .c = c, .eps = eps};
  g.pitch.x = x.pitch();
  const auto& row = kernels::select(kernels::instance_norm_table(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), slot, at);
  g.pitch.y = y.pitch();
  Tensor mean = Tensor::empty({n, c}, x.options()), inverse_deviation = Tensor::empty({n, c}, x.options());
  row.forward(Workspace(x.device(), row.workspace(g)).exec(), g, x.data(), weight ? weight.data() : nullptr,
              bias ? bias.data() : nullptr, y.mutate(), mean.mutate(), inverse_deviation.mutate());
  return record(
      op, {x, weight, bias}, y,
      [op, g, &row, x = Saved(x), weight = Saved(weight), mean, inverse_deviation](const Tensor& dy, Grads& d) mutable {
        g.pitch.dy = dy.pitch();
        const Workspace workspace(dy.device(), row.workspace(g));
        row.backward(workspace.exec(), g, dy.data(), x.get(op).data(), weight ? weight.get(op).data() : nullptr,
                     mean.data(), inverse_deviation.data(), d.want(0) ? d[0].mutate() : nullptr,
                     d.want(1) ? d[1].mutate() : nullptr, d.want(2) ? d[2].mutate() : nullptr);
      });
}

}  // namespace kern
