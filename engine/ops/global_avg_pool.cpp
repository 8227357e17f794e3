#include "engine/ops/global_avg_pool.h"

#include "engine/ops/op.h"
#include "kernels/pool/global_avg_pool.h"

namespace kern {

Tensor global_avg_pool(const Tensor& x, const Tensor& out, SourceLocation at) {
  const char* op = "global_avg_pool";
  check({x.rank() >= 3, at}, op, ": input must be [N,L,C] or [N,H,W,C], got ", x.shape());
  int64_t l = 1;
  for (int i = 1; i + 1 < x.rank(); ++i) l *= x.dim(i);
  check({l > 0 || x.dim(0) == 0, at}, op, ": input ", x.shape(), " has no position to average over");
  if (x.dtype() == DType::bf16) return global_avg_pool(as_float(x), out, at);
  kernels::GlobalAvgPoolSpec g{.n = x.dim(0), .l = std::max<int64_t>(1, l), .c = x.channels()};
  g.pitch.x = x.pitch();
  const auto& impl = kernels::select(kernels::GlobalAvgPool::registry(), x.device(), g, at);
  Tensor y = output_tensor(op, {g.n, g.c}, x.options(), out, at);
  g.pitch.y = y.pitch();
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, {.x = x.data(), .y = y.mutate()});
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch.dy = dy.pitch();
    impl.backward({}, g, {.dy = dy.data(), .dx = d[0].mutate()});
  });
}

}  // namespace kern
