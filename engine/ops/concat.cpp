#include "engine/ops/concat.h"

#include <algorithm>

#include "engine/ops/op.h"
#include "engine/ops/reshape.h"
#include "engine/ops/strides.h"

namespace kern {

Tensor concat(const std::vector<Tensor>& parts, SourceLocation at) {
  check({!parts.empty(), at}, "concat: needs at least one tensor");
  const auto kept = std::count_if(parts.begin(), parts.end(), [](const Tensor& p) { return p.dtype() == DType::bf16; });
  if (kept > 0 && kept < int64_t(parts.size())) {  // a network's input beside what its layers keep
    std::vector<Tensor> all;
    for (const Tensor& p : parts) all.push_back(p.dtype() == DType::f32 ? cast(p, DType::bf16) : p);
    return concat(all, at);
  }
  const Tensor& first = parts[0];
  check({first.rank() >= 1, at}, "concat: a tensor without sizes has no channels to join");
  Shape shape = first.shape();
  shape[-1] = 0;
  for (const Tensor& p : parts) {
    bool fits = p.rank() == first.rank() && p.options().dtype == first.dtype() && p.device() == first.device();
    for (int i = 0; fits && i + 1 < p.rank(); ++i) fits = p.dim(i) == first.dim(i);
    check({fits, at}, "concat: ", first.shape(), " ", first.dtype(), " and ", p.shape(), " ", p.dtype(),
          " do not fit side by side; all sizes but the last must be equal");
    shape[-1] += p.channels();
  }
  Tensor y = Tensor::joined_channels(parts);
  if (!y) {
    y = Tensor::empty(shape, first.options());
    int64_t begin = 0;
    for (const Tensor& p : parts) {
      y.channel_slice(begin, begin + p.channels()).copy_from(p);
      begin += p.channels();
    }
  }
  std::vector<int64_t> widths;
  for (const Tensor& p : parts) widths.push_back(p.channels());
  // Joined for free, it can be made again where all its parts can.
  bool again = y.impl().storage == first.impl().storage;
  std::vector<std::shared_ptr<Recompute>> recomputes;
  for (const Tensor& p : parts) {
    recomputes.push_back(p.impl().recompute);
    again = again && recomputes.back() && recomputes.back()->version == p.version();
  }
  if (again)
    y.impl().recompute = std::make_shared<Recompute>(Recompute{.make =
                                                                   [widths, recomputes](Tensor& into) {
                                                                     int64_t begin = 0;
                                                                     for (size_t i = 0; i < widths.size(); ++i) {
                                                                       Tensor part =
                                                                           into.channel_slice(begin, begin + widths[i]);
                                                                       recomputes[i]->make(part);
                                                                       begin += widths[i];
                                                                     }
                                                                   },
                                                               .version = y.version()});
  return record("concat", parts, y, [widths](const Tensor& dy, Grads& d) {
    int64_t begin = 0;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (d.want(i)) d.set(i, dy.channel_slice(begin, begin + widths[i]));
      begin += widths[i];
    }
  });
}

Tensor concat(const std::vector<Tensor>& parts, int axis, SourceLocation at) {
  check({!parts.empty(), at}, "concat: needs at least one tensor");
  const int d = detail::axis_of("concat", parts[0], axis, at), rank = parts[0].rank();
  if (d == rank - 1) return concat(parts, at);
  // As rows of all that stands behind, which are joined as channels are.
  Shape shape = parts[0].shape();
  shape[d] = 0;
  int64_t outer = 1;
  for (int i = 0; i < d; ++i) outer *= shape[i];
  std::vector<Tensor> rows;
  for (const Tensor& p : parts) {
    bool fits = p.rank() == rank;
    for (int i = 0; fits && i < rank; ++i) fits = i == d || p.dim(i) == shape[i];
    check({fits, at}, "concat: ", parts[0].shape(), " and ", p.shape(), " do not fit; all sizes but that of dimension ",
          axis, " must be equal");
    shape[d] += p.dim(d);
    rows.push_back(reshape(p, {outer, outer > 0 ? p.size() / outer : 0}, at));
  }
  return reshape(concat(rows, at), shape, at);
}

Tensor stack(const std::vector<Tensor>& parts, int axis, SourceLocation at) {
  check({!parts.empty(), at}, "stack: needs at least one tensor");
  const int rank = parts[0].rank(), d = axis < 0 ? axis + rank + 1 : axis;
  check({d >= 0 && d <= rank, at}, "stack: a result of ", rank + 1, " dimensions has no dimension ", axis);
  std::vector<Tensor> all;
  for (const Tensor& p : parts) {
    check({p.shape() == parts[0].shape(), at}, "stack: shapes ", parts[0].shape(), " and ", p.shape(),
          " are not equal");
    Shape shape;
    for (int i = 0; i <= rank; ++i) shape.push_back(i == d ? 1 : p.dim(i < d ? i : i - 1), at);
    all.push_back(reshape(p, shape, at));
  }
  return concat(all, d, at);
}

}  // namespace kern
