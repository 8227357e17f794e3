#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = 1 / (1 + exp(-x)), any shape.
struct Sigmoid {
  Tensor operator()(const Tensor& x, const Tensor& slot = {}) { return sigmoid(x, slot); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
