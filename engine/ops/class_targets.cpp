#include "engine/ops/class_targets.h"

#include "engine/ops/op.h"

namespace kern {

void check_class_targets(const char* op, const Tensor& logits, const Tensor& target, SourceLocation at) {
  bool fits = logits.rank() >= 1 && logits.channels() >= 1 && target.rank() == logits.rank() - 1;
  for (int i = 0; fits && i < target.rank(); ++i) fits = target.dim(i) == logits.dim(i);
  check({fits, at}, op, ": logits ", logits.shape(), " and targets ", target.shape(),
        " do not fit; expected [N,...,K] and [N,...]");
  check({target.dtype() == DType::i32, at}, op, ": targets must be class numbers of type i32, got ", target.dtype());
}

void check_class_weights(const char* op, const Tensor& weight, int64_t classes, SourceLocation at) {
  check({!weight || weight.shape() == Shape{classes}, at}, op, ": class weights must be [", classes, "], got ",
        weight ? weight.shape() : Shape{});
}

}  // namespace kern
