#include "engine/ops/strides.h"

#include "engine/ops/op.h"
#include "engine/ops/sum.h"

namespace kern::detail {

Shape broadcast_shape(const char* op, const Shape& a, const Shape& b, SourceLocation at) {
  const int rank = std::max(a.rank(), b.rank());
  Shape shape;
  for (int i = rank; i > 0; --i) {
    const int64_t of_a = i <= a.rank() ? a[-i] : 1, of_b = i <= b.rank() ? b[-i] : 1;
    check({of_a == of_b || of_a == 1 || of_b == 1, at}, op, ": shapes ", a, " and ", b,
          " do not fit; compared from the last size to the first, sizes must be equal or one of them 1");
    shape.push_back(of_a == 1 ? of_b : of_a, at);
  }
  return shape;
}

std::vector<int64_t> strides_of(const Tensor& t) {
  std::vector<int64_t> strides(size_t(t.rank()), 1);
  int64_t step = t.pitch();
  for (int d = t.rank() - 2; d >= 0; --d) {
    strides[size_t(d)] = step;
    step *= t.dim(d);
  }
  return strides;
}

std::vector<int64_t> broadcast_strides(const Tensor& t, const Shape& shape) {
  const std::vector<int64_t> own = strides_of(t);
  std::vector<int64_t> strides(size_t(shape.rank()), 0);
  const int missing = shape.rank() - t.rank();
  for (int d = 0; d < t.rank(); ++d)
    if (t.dim(d) != 1) strides[size_t(d + missing)] = own[size_t(d)];
  return strides;
}

StridedLoop strided_loop(std::span<const int64_t> sizes, std::span<const std::vector<int64_t>> strides) {
  StridedLoop loop;
  loop.strides.resize(strides.size());
  int d = kernels::kMaxDims;  // the last one made
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] == 1) continue;
    bool joins = d < kernels::kMaxDims;
    for (size_t k = 0; joins && k < strides.size(); ++k)
      joins = strides[k][i] == loop.strides[k][size_t(d)] * loop.sizes[size_t(d)];
    if (joins) {
      loop.sizes[size_t(d)] *= sizes[i];
      continue;
    }
    --d;
    loop.sizes[size_t(d)] = sizes[i];
    for (size_t k = 0; k < strides.size(); ++k) loop.strides[k][size_t(d)] = strides[k][i];
  }
  return loop;
}

Tensor sum_to(const Tensor& dy, const Shape& to) {
  if (dy.shape() == to) return dy;
  const NoGrad off;
  std::vector<int> axes;
  const int missing = dy.rank() - to.rank();
  for (int d = 0; d < dy.rank(); ++d)
    if (d < missing || (to[d - missing] == 1 && dy.dim(d) != 1)) axes.push_back(d);
  return sum(dy, axes).reshaped(to);
}

int axis_of(const char* op, const Tensor& x, int axis, SourceLocation at) {
  check({axis >= -x.rank() && axis < x.rank(), at}, op, ": ", x.shape(), " has no dimension ", axis);
  return axis < 0 ? axis + x.rank() : axis;
}

}  // namespace kern::detail
