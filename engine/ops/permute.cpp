#include "engine/ops/permute.h"

#include "engine/ops/op.h"
#include "engine/ops/strides.h"
#include "engine/trace.h"
#include "kernels/shape/strided_copy.h"

namespace kern {
namespace {

Tensor copied(const Tensor& x, const Shape& shape, const std::vector<int64_t>& strides, int64_t offset,
              SourceLocation at) {
  const detail::StridedLoop loop = detail::strided_loop({shape.begin(), shape.end()}, {&strides, 1});
  const kernels::StridedCopySpec g{.sizes = loop.sizes, .x = loop.strides[0], .offset = offset};
  Tensor y = Tensor::empty(shape, x.options());
  kernels::select(kernels::strided_copy_registry(), x.device(), g, at).forward({}, g, x.data(), y.mutate());
  return y;
}

}  // namespace

Tensor permute(const Tensor& x, const std::vector<int>& order, SourceLocation at) {
  std::vector<int> back(size_t(x.rank()), -1), from;
  for (int axis : order) {
    from.push_back(detail::axis_of("permute", x, axis, at));
    check({back[size_t(from.back())] < 0, at}, "permute: dimension ", axis, " is named twice");
    back[size_t(from.back())] = int(from.size()) - 1;
  }
  check({int(from.size()) == x.rank(), at}, "permute: ", x.shape(), " has ", x.rank(), " dimensions, the order names ",
        from.size());
  if (x.dtype() == DType::bf16) return permute(as_float(x), order, at);
  const std::vector<int64_t> own = detail::strides_of(x);
  std::vector<int64_t> strides;
  Shape shape;
  for (int d : from) shape.push_back(x.dim(d)), strides.push_back(own[size_t(d)]);
  Trace::note(from);
  return record("permute", {x}, copied(x, shape, strides, 0, at), [back](const Tensor& dy, Grads& d) {
    const NoGrad off;
    if (d.want(0)) d.set(0, permute(dy, back));
  });
}

Tensor transpose(const Tensor& x, int a, int b, SourceLocation at) {
  std::vector<int> order(size_t(x.rank()), 0);
  for (size_t i = 0; i < order.size(); ++i) order[i] = int(i);
  std::swap(order[size_t(detail::axis_of("transpose", x, a, at))],
            order[size_t(detail::axis_of("transpose", x, b, at))]);
  return permute(x, order, at);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape, SourceLocation at) {
  check({detail::broadcast_shape("broadcast_to", x.shape(), shape, at) == shape, at}, "broadcast_to: ", x.shape(),
        " cannot be repeated to ", shape, "; only sizes of 1 are repeated");
  if (x.dtype() == DType::bf16) return broadcast_to(as_float(x), shape, at);
  return record("broadcast_to", {x}, copied(x, shape, detail::broadcast_strides(x, shape), 0, at),
                [from = x.shape()](const Tensor& dy, Grads& d) {
                  if (d.want(0)) d.set(0, detail::sum_to(dense(dy), from));
                });
}

Tensor flip(const Tensor& x, int axis, SourceLocation at) {
  const size_t d = size_t(detail::axis_of("flip", x, axis, at));
  if (x.dtype() == DType::bf16) return flip(as_float(x), axis, at);
  std::vector<int64_t> strides = detail::strides_of(x);
  const int64_t offset = x.dim(int(d)) > 0 ? (x.dim(int(d)) - 1) * strides[d] : 0;
  strides[d] = -strides[d];
  return record("flip", {x}, copied(x, x.shape(), strides, offset, at), [axis](const Tensor& dy, Grads& grads) {
    const NoGrad off;
    if (grads.want(0)) grads.set(0, flip(dy, axis));
  });
}

}  // namespace kern
