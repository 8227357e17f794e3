#include "engine/ops/slice.h"

#include "engine/ops/op.h"
#include "engine/trace.h"

namespace kern {

Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, SourceLocation at) {
  const int d = dim < 0 ? dim + x.rank() : dim;
  check({d >= 0 && d < x.rank(), at}, "slice: ", x.shape(), " has no dimension ", dim);
  check({0 <= begin && begin <= end && end <= x.dim(d), at}, "slice: ", begin, " to ", end, " of dimension ", dim,
        " does not lie in ", x.shape());
  if (d == x.rank() - 1) {
    Trace::note(kernels::PadSpec{.h = x.dim(d), .top = -begin, .bottom = end - x.dim(d)});
    return record("slice", {x}, x.channel_slice(begin, end), [begin, end](const Tensor& dy, Grads& grads) {
      if (!grads.want(0)) return;
      Tensor& dx = grads[0];
      dx.fill(0);
      dx.channel_slice(begin, end).copy_from(dy);
    });
  }
  kernels::PadSpec g{.h = x.dim(d), .c = x.channels(), .top = -begin, .bottom = end - x.dim(d)};
  for (int i = 0; i < d; ++i) g.n *= x.dim(i);
  for (int i = d + 1; i + 1 < x.rank(); ++i) g.w *= x.dim(i);
  Shape shape = x.shape();
  shape[d] = end - begin;
  return detail::padded("slice", g, shape, x, {}, at);
}

std::vector<Tensor> split(const Tensor& x, int dim, const std::vector<int64_t>& sizes, SourceLocation at) {
  int64_t end = 0;
  std::vector<Tensor> parts;
  for (int64_t size : sizes) {
    parts.push_back(slice(x, dim, end, end + size, at));
    end += size;
  }
  const int d = dim < 0 ? dim + x.rank() : dim;
  check({d >= 0 && d < x.rank() && end == x.dim(d), at}, "split: sizes that add up to ", end, " do not make dimension ",
        dim, " of ", x.shape());
  return parts;
}

}  // namespace kern
