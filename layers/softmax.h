#pragma once
#include "engine/ops/softmax.h"
#include "layers/module.h"

namespace kern {

// x [...,C] -> probabilities that sum to 1 over the channels.
struct Softmax {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return softmax(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
