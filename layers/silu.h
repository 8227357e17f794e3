#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = x / (1 + exp(-x)), any shape. Also called swish.
struct Silu {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return silu(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
