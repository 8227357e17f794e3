#include "engine/ops/sum.h"

#include "engine/ops/op.h"
#include "engine/ops/reshape.h"
#include "engine/ops/strides.h"
#include "engine/ops/unary.h"
#include "engine/trace.h"
#include "kernels/reduce/cumsum.h"
#include "kernels/reduce/sum.h"
#include "kernels/reduce/sum_axis.h"

namespace kern {
namespace {

Tensor scaled_sum(const char* op, const Tensor& x, double scale, SourceLocation at) {
  if (x.dtype() == DType::bf16) return scaled_sum(op, as_float(x), scale, at);
  const kernels::SumSpec g{.rows = x.rows(), .c = x.channels(), .scale = scale, .pitch = {.x = x.pitch()}};
  const auto& impl = kernels::select(kernels::Sum::registry(), x.device(), g, at);
  Tensor y = Tensor::empty({1}, x.options());
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, {.x = x.data(), .y = y.mutate()});
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) {
    if (d.want(0)) impl.backward({}, g, {.dy = dy.data(), .dx = d[0].mutate()});
  });
}

// Over dimensions begin .. end - 1 of dense x, which become one of size 1 each.
Tensor over_axes(const char* op, const Tensor& x, int begin, int end, double scale, SourceLocation at) {
  kernels::SumAxisSpec g;
  g.n = 1, g.scale = scale;
  Shape shape = x.shape();
  for (int i = 0; i < x.rank(); ++i) {
    if (i < begin) g.outer *= x.dim(i);
    else if (i < end) g.n *= x.dim(i), shape[i] = 1;
    else g.inner *= x.dim(i);
  }
  const auto& impl = kernels::select(kernels::SumAxis::registry(), x.device(), g, at);
  Tensor y = Tensor::empty(shape, x.options());
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g, {.x = x.data(), .y = y.mutate()});
  Trace::note(g);
  return record(op, {x}, y, [g, &impl](const Tensor& dy, Grads& d) {
    if (d.want(0)) impl.backward({}, g, {.dy = dense(dy).data(), .dx = d[0].mutate()});
  });
}
// Neighbouring dimensions at once, the last first; the last of them all scales.
Tensor scaled_sum(const char* op, const Tensor& x, const std::vector<int>& axes, double scale, bool keep,
                  SourceLocation at) {
  std::vector<bool> gone(size_t(x.rank()), false);
  for (int axis : axes) {
    const size_t d = size_t(detail::axis_of(op, x, axis, at));
    check({!gone[d], at}, op, ": dimension ", axis, " is named twice");
    gone[d] = true;
  }
  Tensor y = as_float(x);
  if (!y.dense()) y = affine(y, 1);  // a dense copy
  bool scaled = false;
  for (int end = x.rank(); end > 0; --end) {
    if (!gone[size_t(end - 1)]) continue;
    int begin = end;
    while (begin > 0 && gone[size_t(begin - 1)]) --begin;
    y = over_axes(op, y, begin, end, scaled ? 1 : scale, at);
    scaled = true, end = begin + 1;
  }
  if (keep || axes.empty()) return y;
  Shape left;
  for (int i = 0; i < x.rank(); ++i)
    if (!gone[size_t(i)]) left.push_back(x.dim(i), at);
  if (left.rank() == 0) left.push_back(1);
  return reshape(y, left, at);
}

}  // namespace

Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep, SourceLocation at) {
  return scaled_sum("sum", x, axes, 1, keep, at);
}

Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keep, SourceLocation at) {
  int64_t count = 1;
  for (int axis : axes) count *= x.dim(detail::axis_of("mean", x, axis, at));
  check({count > 0, at}, "mean: ", x.shape(), " has no values to average");
  return scaled_sum("mean", x, axes, 1.0 / double(count), keep, at);
}

Tensor cumsum(const Tensor& x, int axis, SourceLocation at) {
  const int d = detail::axis_of("cumsum", x, axis, at);
  kernels::CumsumSpec g;
  g.n = x.dim(d);
  for (int i = 0; i < d; ++i) g.outer *= x.dim(i);
  for (int i = d + 1; i < x.rank(); ++i) g.inner *= x.dim(i);
  const auto& impl = kernels::select(kernels::cumsum_registry(), x.device(), g, at);
  const Tensor from = dense(as_float(x));
  Tensor y = Tensor::empty(x.shape(), from.options());
  impl.forward({}, g, from.data(), y.mutate());
  return record("cumsum", {x}, y, [g, &impl](const Tensor& dy, Grads& grads) mutable {
    g.reverse = true;
    if (grads.want(0)) impl.forward({}, g, dense(dy).data(), grads[0].mutate());
  });
}

Tensor sum(const Tensor& x, SourceLocation at) { return scaled_sum("sum", x, 1, at); }

Tensor mean(const Tensor& x, SourceLocation at) {
  check({x.size() > 0, at}, "mean: ", x.shape(), " has no values to average");
  return scaled_sum("mean", x, 1.0 / double(x.size()), at);
}

}  // namespace kern
