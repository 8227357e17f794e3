#include "engine/ops/dice.h"

#include "engine/ops/op.h"

namespace kern {

Tensor dice(const Tensor& logits, const Tensor& target, const DiceOptions& o, SourceLocation at) {
  return tversky(logits, target, {.alpha = 0.5f, .beta = 0.5f, .smooth = o.smooth / 2, .per_sample = o.per_sample}, at);
}

}  // namespace kern
