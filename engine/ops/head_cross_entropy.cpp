#include "engine/ops/head_cross_entropy.h"

#include "engine/ops/class_targets.h"
#include "engine/ops/op.h"
#include "kernels/loss/head_cross_entropy.h"

namespace kern {

namespace {

// X: what x is in memory.
template <class X>
Tensor head_of(const char* op, const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& target,
               const Tensor& weight, HeadCrossEntropyOptions o, SourceLocation at) {
  const int64_t c = x.channels(), k = w.dim(0);
  const Tensor t = dense(target);
  const kernels::HeadCrossEntropySpec g{
      .rows = x.rows(), .c = c, .k = k, .smoothing = o.smoothing, .pitch = {.x = x.pitch()}};
  const auto& impl = kernels::select(kernels::head_cross_entropy_registry<X>(), x.device(), g, at);
  Tensor loss = Tensor::empty({1}, {.device = x.device()}), dx, dw, db;
  if (grad_enabled() && x.requires_grad()) dx = Tensor::empty(x.shape(), x.options());
  if (grad_enabled() && w.requires_grad()) dw = Tensor::empty(w.shape(), w.options());
  if (grad_enabled() && b && b.requires_grad()) db = Tensor::empty(b.shape(), b.options());
  auto to = [](Tensor& gradient) { return gradient ? gradient.mutate() : nullptr; };
  auto to_dx = [](Tensor& gradient) { return gradient ? gradient.mutate<X>() : nullptr; };
  impl.forward(Workspace(x.device(), impl.workspace(g)).exec(), g,
               {.x = x.data<X>(),
                .w = w.data(),
                .b = b ? b.data() : nullptr,
                .target = t.data<int32_t>(),
                .weight = weight ? weight.data() : nullptr},
               {.loss = loss.mutate(),
                .dx = to_dx(dx),
                .dw = to(dw),
                .db = to(db),
                .prediction = o.prediction ? o.prediction.mutate<int32_t>() : nullptr,
                .confusion = o.confusion ? o.confusion.mutate<int32_t>() : nullptr});
  return record(op, {x, w, b}, loss, [g, &impl, to, to_dx, dx, dw, db](const Tensor& dy, Grads& d) mutable {
    impl.backward({}, g, dy.data(), to_dx(dx), to(dw), to(db));
    size_t i = 0;
    for (Tensor* gradient : {&dx, &dw, &db}) {
      if (d.want(i) && *gradient) d.set(i, std::move(*gradient));
      ++i;
    }
  });
}

}  // namespace

Tensor head_cross_entropy(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& target, const Tensor& weight,
                          HeadCrossEntropyOptions o, SourceLocation at) {
  const char* op = "head_cross_entropy";
  const int64_t c = x.channels(), k = w.rank() > 0 ? w.dim(0) : 0;
  check({w.rank() >= 2 && w.channels() == c && w.size() == k * c && w.dense() && k >= 1, at}, op, ": input ", x.shape(),
        " needs a 1x1 filter [K,...,", c, "], got ", w.shape());
  check({!b || b.shape() == Shape{k}, at}, op, ": bias must be [", k, "], got ", b ? b.shape() : Shape{});
  bool fits = x.rank() == target.rank() + 1;
  for (int i = 0; fits && i < target.rank(); ++i) fits = target.dim(i) == x.dim(i);
  check({fits, at}, op, ": input ", x.shape(), " and targets ", target.shape(),
        " do not fit; expected [N,...,C] and [N,...]");
  check({target.dtype() == DType::i32, at}, op, ": targets must be class numbers of type i32, got ", target.dtype());
  check_class_weights(op, weight, k, at);
  check({o.smoothing >= 0 && o.smoothing <= 1, at}, op, ": smoothing must be 0 to 1, got ", o.smoothing);
  check({!o.prediction || (o.prediction.shape() == target.shape() && o.prediction.dense()), at}, op,
        ": predictions must be a dense ", target.shape());
  check({!o.confusion || (o.confusion.shape() == Shape{k, k} && o.confusion.dense() && o.prediction), at}, op,
        ": the confusion must be a dense [", k, ",", k, "], and needs predictions");
  if (x.dtype() != DType::bf16) return head_of<float>(op, x, w, b, target, weight, std::move(o), at);
  if (x.device() == Device::cpu) return head_of<float>(op, as_float(x), w, b, target, weight, std::move(o), at);
  return head_of<Bf16>(op, x, w, b, target, weight, std::move(o), at);
}

}  // namespace kern
