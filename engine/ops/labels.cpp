#include "engine/ops/labels.h"

#include "engine/ops/op.h"
#include "kernels/labels/labels.h"

namespace kern {
namespace {

const kernels::LabelsImpl& row_for(const Tensor& t, const kernels::LabelsSpec& g, SourceLocation at) {
  return kernels::select(kernels::labels_registry(), t.device(), g, at);
}
void check_labels(const char* op, const Tensor& labels, SourceLocation at) {
  check({labels.dtype() == DType::i32, at}, op, ": labels must be class numbers of type i32, got ", labels.dtype());
}
// rows [N,...,C] and labels [N,...]
void check_rows(const char* op, const Tensor& rows, const Tensor& labels, SourceLocation at) {
  bool fits = rows.rank() == labels.rank() + 1;
  for (int i = 0; fits && i < labels.rank(); ++i) fits = rows.dim(i) == labels.dim(i);
  check({fits && rows.dtype() != DType::i32, at}, op, ": values ", rows.shape(), " (", rows.dtype(), ") and labels ",
        labels.shape(), " do not fit; expected [N,...,C] of numbers and [N,...]");
}
// Without its graph.
Tensor floats_of(const Tensor& t) { return as_float(t.detach()); }
TensorOptions integers_on(const Tensor& t) { return {.dtype = DType::i32, .device = t.device()}; }

kernels::LabelsSpec moves(const Tensor& labels, int64_t c) {
  const int64_t samples = labels.rank() > 0 ? labels.dim(0) : 1;
  return {.rows = labels.size(), .c = c, .positions = samples > 0 ? labels.size() / samples : 1};
}

}  // namespace

Tensor relabel(const Tensor& labels, int value, SourceLocation at) {
  check_labels("relabel", labels, at);
  const Tensor l = dense(labels);
  const kernels::LabelsSpec g{.rows = l.size(), .value = value};
  Tensor y = Tensor::empty(l.shape(), integers_on(l));
  row_for(l, g, at).relabel({}, g, l.data<int32_t>(), y.mutate<int32_t>());
  return y;
}

Tensor one_hot(const Tensor& labels, int64_t classes, const Tensor& otherwise, SourceLocation at) {
  check_labels("one_hot", labels, at);
  check({classes >= 1, at}, "one_hot: at least one class is needed, got ", classes);
  Shape shape = labels.shape();
  shape.push_back(classes);
  check({!otherwise || otherwise.shape() == shape, at}, "one_hot: what stands where there is no label must be ", shape,
        ", got ", otherwise ? otherwise.shape() : Shape{});
  const Tensor l = dense(labels), o = otherwise ? dense(floats_of(otherwise)) : Tensor();
  const kernels::LabelsSpec g{.rows = l.size(), .c = classes};
  Tensor y = Tensor::empty(shape, {.device = l.device()});
  row_for(l, g, at).one_hot({}, g, l.data<int32_t>(), o ? o.data() : nullptr, y.mutate());
  return y;
}

Tensor choose(const Tensor& labels, const Tensor& a, const Tensor& b, SourceLocation at) {
  check_labels("choose", labels, at);
  check_rows("choose", a, labels, at);
  check({a.shape() == b.shape(), at}, "choose: ", a.shape(), " and ", b.shape(), " differ");
  const Tensor l = dense(labels), of_a = dense(floats_of(a)), of_b = dense(floats_of(b));
  const kernels::LabelsSpec g{.rows = l.size(), .c = a.channels()};
  Tensor y = Tensor::empty(a.shape(), of_a.options());
  row_for(l, g, at).choose({}, g, l.data<int32_t>(), of_a.data(), of_b.data(), y.mutate());
  return y;
}

Tensor move_labels(const Tensor& labels, const Tensor& origin, SourceLocation at) {
  if (!origin) return labels;
  check_labels("move_labels", labels, at);
  check_labels("move_labels", origin, at);
  check({labels.shape() == origin.shape(), at}, "move_labels: labels ", labels.shape(), " and origins ", origin.shape(),
        " differ");
  const Tensor l = dense(labels), o = dense(origin);
  const kernels::LabelsSpec g = moves(o, 1);
  Tensor y = Tensor::empty(l.shape(), integers_on(l));
  row_for(l, g, at).move_labels({}, g, l.data<int32_t>(), o.data<int32_t>(), y.mutate<int32_t>());
  return y;
}

Tensor move_rows(const Tensor& rows, const Tensor& origin, SourceLocation at) {
  if (!origin) return rows;
  check_labels("move_rows", origin, at);
  check_rows("move_rows", rows, origin, at);
  const Tensor x = dense(floats_of(rows)), o = dense(origin);
  const kernels::LabelsSpec g = moves(o, x.channels());
  Tensor y = Tensor::empty(x.shape(), x.options());
  row_for(x, g, at).move_rows({}, g, x.data(), o.data<int32_t>(), y.mutate());
  return y;
}

LabelledMean labelled_mean(const Tensor& x, const Tensor& labels, SourceLocation at) {
  check_labels("labelled_mean", labels, at);
  if (x) {
    check_rows("labelled_mean", x, labels, at);
    check({x.channels() == 1, at}, "labelled_mean: one value a position is averaged, got ", x.shape());
  }
  const Tensor l = dense(labels), of = x ? floats_of(x) : Tensor();
  const kernels::LabelsSpec g{.rows = l.size(), .x_pitch = of ? of.pitch() : 1};
  const auto& impl = row_for(l, g, at);
  Tensor s = Tensor::empty({3}, {.device = l.device()});
  impl.mean(Workspace(l.device(), impl.workspace(g)).exec(), g, of ? of.data() : nullptr, l.data<int32_t>(),
            s.mutate());
  return {s.channel_slice(0, 1), s.channel_slice(1, 2), s.channel_slice(2, 3), s.channel_slice(0, 2)};
}

}  // namespace kern
