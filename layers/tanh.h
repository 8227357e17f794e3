#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = tanh(x), any shape.
struct Tanh {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return tanh(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
