#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = tanh(x), any shape.
struct Tanh {
  Tensor operator()(const Tensor& x, const Tensor& slot = {}) { return tanh(x, slot); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
