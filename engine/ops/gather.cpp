#include "engine/ops/gather.h"

#include "engine/ops/op.h"
#include "engine/ops/strides.h"
#include "engine/trace.h"
#include "kernels/shape/gather.h"

namespace kern {
namespace {

Tensor gathered(const char* op, const Tensor& x_, int d, const Tensor& index_, bool shared, SourceLocation at) {
  check({index_.dtype() == DType::i32, at}, op, ": the index must be i32, got ", index_.dtype());
  check({index_.device() == x_.device(), at}, op, ": x is on ", x_.device(), ", the index on ", index_.device());
  const Tensor x = dense(as_float(x_)), index = dense(index_);
  Shape shape = x_.shape();
  shape[d] = shared ? index.size() : index.dim(d);
  kernels::GatherSpec g{.n = x_.dim(d), .m = shape[d], .shared = shared};
  for (int i = 0; i < d; ++i) g.outer *= x_.dim(i);
  for (int i = d + 1; i < x_.rank(); ++i) g.inner *= x_.dim(i);
  const auto& impl = kernels::select(kernels::gather_registry(), x.device(), g, at);
  Tensor y = Tensor::empty(shape, x.options());
  impl.forward({}, g, x.data(), index.data<int32_t>(), y.mutate());
  Trace::note(d, {index});
  return record(op, {x_}, y, [op, g, &impl, index = Saved(index)](const Tensor& dy, Grads& grads) {
    if (grads.want(0)) impl.backward({}, g, dense(dy).data(), index.get(op).data<int32_t>(), grads[0].mutate());
  });
}

}  // namespace

Tensor gather(const Tensor& x, int axis, const Tensor& index, SourceLocation at) {
  const int d = detail::axis_of("gather", x, axis, at);
  Shape expected = x.shape();
  if (index.rank() == x.rank()) expected[d] = index.dim(d);
  check({index.shape() == expected, at}, "gather: the index ", index.shape(), " must have the shape ", x.shape(),
        " of x, but for dimension ", axis);
  return gathered("gather", x, d, index, false, at);
}

Tensor take(const Tensor& x, int axis, const Tensor& index, SourceLocation at) {
  check({index.rank() == 1, at}, "take: the index must be [M], got ", index.shape());
  return gathered("take", x, detail::axis_of("take", x, axis, at), index, true, at);
}

}  // namespace kern
