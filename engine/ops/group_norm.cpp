#include "engine/ops/group_norm.h"

#include "engine/ops/op.h"
#include "kernels/group_norm.h"

namespace kern {

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, float eps,
                  const Tensor& slot, SourceLocation at) {
  const char* op = "group_norm";
  check({x.rank() >= 2, at}, op, ": input must be [N,C], [N,L,C] or [N,H,W,C], got ", x.shape());
  const int64_t n = x.dim(0), c = x.channels(), l = n > 0 && c > 0 ? x.rows() / n : 1;
  check({groups >= 1 && c % groups == 0, at}, op, ": ", groups, " groups must divide the ", c, " channels of input ",
        x.shape());
  check({n == 0 || l * c / groups != 1, at}, op, ": statistics over one value are meaningless, input is ", x.shape(),
        " in ", groups, " groups; use fewer groups or a larger input");
  check({!weight || weight.shape() == Shape{c}, at}, op, ": weight must be [", c, "], got ",
        weight ? weight.shape() : Shape{});
  check({!bias || bias.shape() == Shape{c}, at}, op, ": bias must be [", c, "], got ", bias ? bias.shape() : Shape{});
  kernels::GroupNormSpec g{.n = n, .l = l, .c = c, .groups = groups, .eps = eps};
  g.pitch.x = x.pitch();
  const auto& row = kernels::select(kernels::group_norm_table(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), slot, at);
  g.pitch.y = y.pitch();
  Tensor mean = Tensor::empty({n, groups}, x.options()), inverse_deviation = Tensor::empty({n, groups}, x.options());
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
