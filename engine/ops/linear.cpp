#include "engine/ops/linear.h"

#include "engine/ops/op.h"
#include "engine/prepared_filters.h"
#include "kernels/matmul/linear.h"

namespace kern {

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& out, const Fold* fold,
              SourceLocation at) {
  check({x.rank() >= 2 && w.rank() == 2, at},
        "linear: input must be [...,C] of at least two dimensions and weight [K,C], got ", x.shape(), " and ",
        w.shape());
  check({x.channels() == w.dim(1), at}, "linear: input ", x.shape(), " has ", x.channels(), " channels, weight ",
        w.shape(), " expects ", w.dim(1));
  check({!b || b.shape() == Shape{w.dim(0)}, at}, "linear: bias must be [", w.dim(0), "], got ",
        b ? b.shape() : Shape{});
  check({w.dense(), at}, "linear: the weight must be dense");
  if (x.dtype() == DType::bf16) return linear(as_float(x), w, b, out, fold, at);
  kernels::LinearSpec g{.rows = x.rows(), .c = w.dim(1), .k = w.dim(0)};
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::linear_registry(), x.device(), g, at);
  Shape y_shape = x.shape();
  y_shape[-1] = g.k;
  Tensor y = output_tensor("linear", y_shape, x.options(), out, at);
  g.pitch.y = y.pitch();
  if (fold) {
    PreparedFilters* const prepared = PreparedFilters::current();
    internal_check(prepared && x.device() == Device::cpu,
                   "linear was given something to fold in where nothing is prepared");
    prepared->run(impl, g, x, w, b, *fold, y);
    return record("linear", {x, w, b}, y, {});  // of which nothing but the profile takes note
  }
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, x.data(), w.data(), b ? b.data() : nullptr,
               y.mutate());
  return record("linear", {x, w, b}, y, [g, &impl, x = Saved(x), w = Saved(w)](const Tensor& dy, Grads& d) mutable {
    g.pitch.dy = dy.pitch();
    const Workspace workspace(dy.device(), impl.workspace(g));
    if (d.want(0)) impl.backward_data(workspace.exec(), g, dy.data(), w.get("linear").data(), d[0].mutate());
    if (d.want(1)) impl.backward_weight(workspace.exec(), g, dy.data(), x.get("linear").data(), d[1].mutate());
    if (d.want(2)) impl.backward_bias(workspace.exec(), g, dy.data(), d[2].mutate());
  });
}

}  // namespace kern
