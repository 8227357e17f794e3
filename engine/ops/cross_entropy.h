#pragma once
#include "engine/ops/op.h"
#include "kernels/cross_entropy.h"

namespace kern {

// The weighted mean of -log softmax(logits)[target]: logits [N,...,K], target i32 [N,...] with -1 for what takes no
// part, weight [K] or empty (all 1) -> [1]. Formula in kernels/cross_entropy.h; everything ignored gives 0 and no
// gradient. Errors: shapes that do not fit; a target that is no class.
inline Tensor cross_entropy(const Tensor& logits, const Tensor& target, const Tensor& weight = {},
                            SourceLocation at = SourceLocation::current()) {
  bool fits = logits.rank() >= 1 && logits.channels() >= 1 && target.rank() == logits.rank() - 1;
  for (int i = 0; fits && i < target.rank(); ++i) fits = target.dim(i) == logits.dim(i);
  check({fits, at}, "cross_entropy: logits ", logits.shape(), " and targets ", target.shape(),
        " do not fit; expected [N,...,K] and [N,...]");
  check({target.dtype() == DType::i32, at}, "cross_entropy: targets must be class numbers of type i32, got ",
        target.dtype());
  check({!weight || weight.shape() == Shape{logits.channels()}, at}, "cross_entropy: class weights must be [",
        logits.channels(), "], got ", weight ? weight.shape() : Shape{});
  const Tensor t = dense(target);
  const kernels::CrossEntropySpec g{.rows = logits.rows(), .k = logits.channels(), .pitch = {.x = logits.pitch()}};
  const auto& row = kernels::select(kernels::cross_entropy_table(), logits.device(), g, at);
  Tensor loss = Tensor::empty({1}, logits.options()), saved = Tensor::empty({g.saved_size()}, logits.options());
  row.forward(Workspace(logits.device(), row.workspace(g)).exec(), g, logits.data(), t.data<int32_t>(),
              weight ? weight.data() : nullptr, loss.mutate(), saved.mutate());
  return record("cross_entropy", {logits}, loss,
                [g, &row, x = Saved(logits), t = Saved(t), w = Saved(weight), saved](const Tensor& dy, Grads& d) {
                  if (!d.want(0)) return;
                  const char* op = "cross_entropy";
                  row.backward({}, g, dy.data(), x.get(op).data(), t.get(op).data<int32_t>(),
                               w ? w.get(op).data() : nullptr, saved.data(), d[0].mutate());
                });
}

}  // namespace kern
