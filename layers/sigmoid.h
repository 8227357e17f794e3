#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = 1 / (1 + exp(-x)), any shape.
struct Sigmoid {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return sigmoid(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
