#include "engine/ops/max.h"

#include "engine/ops/op.h"
#include "engine/ops/strides.h"
#include "engine/trace.h"
#include "kernels/reduce/max_axis.h"

namespace kern {
namespace {

struct Extreme {
  Tensor value, index;
};
Extreme extreme(const char* op, const Tensor& x, int axis, bool smallest, bool keep, SourceLocation at) {
  const int d = detail::axis_of(op, x, axis, at);
  check({x.dim(d) > 0, at}, op, ": dimension ", axis, " of ", x.shape(), " has no values");
  kernels::MaxAxisSpec g;
  g.n = x.dim(d), g.smallest = smallest;
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i < d) g.outer *= x.dim(i);
    if (i > d) g.inner *= x.dim(i);
    if (i != d || keep) shape.push_back(i == d ? 1 : x.dim(i), at);
  }
  if (shape.rank() == 0) shape.push_back(1);
  const auto& impl = kernels::select(kernels::max_axis_registry(), x.device(), g, at);
  const Tensor from = dense(as_float(x));
  Tensor y = Tensor::empty(shape, from.options()),
         index = Tensor::empty(shape, {.dtype = DType::i32, .device = x.device()});
  impl.forward({}, g, from.data(), y.mutate(), index.mutate<int32_t>());
  Trace::note(d);
  record(op, {x}, y, [op, g, &impl, saved = Saved(index)](const Tensor& dy, Grads& grads) {
    if (grads.want(0)) impl.backward({}, g, dense(dy).data(), saved.get(op).data<int32_t>(), grads[0].mutate());
  });
  return {y, index};
}

}  // namespace

Tensor max(const Tensor& x, int axis, bool keep, SourceLocation at) {
  return extreme("max", x, axis, false, keep, at).value;
}
Tensor min(const Tensor& x, int axis, bool keep, SourceLocation at) {
  return extreme("min", x, axis, true, keep, at).value;
}
Tensor argmax(const Tensor& x, int axis, bool keep, SourceLocation at) {
  const NoGrad off;
  return extreme("argmax", x, axis, false, keep, at).index;
}
Tensor argmin(const Tensor& x, int axis, bool keep, SourceLocation at) {
  const NoGrad off;
  return extreme("argmin", x, axis, true, keep, at).index;
}

}  // namespace kern
