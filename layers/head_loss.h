// The loss of a network that ends in logits, fused with its last layer where it has such a one (layers/module.h) and
// fusion is on: the same number and gradients, fewer passes over memory, and no logits.
#pragma once
#include "engine/ops/cross_entropy.h"
#include "engine/ops/head_cross_entropy.h"
#include "layers/fusion.h"
#include "layers/module.h"

namespace kern {

// cross_entropy(network(x), target, weight, options)
inline Tensor cross_entropy_of(const AnyModule& network, const Tensor& x, const Tensor& target,
                               const Tensor& weight = {}, const CrossEntropyOptions& o = {},
                               SourceLocation at = SourceLocation::current()) {
  if (!fusion_enabled() || !network.headed()) return cross_entropy(network(x), target, weight, o, at);
  const BeforeHead head = network.before_head(x);
  return head_cross_entropy(head.features, head.weight, head.bias, target, weight, {.smoothing = o.smoothing}, at);
}

}  // namespace kern
