#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = min(max(x, 0), 6), any shape.
struct Relu6 {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return relu6(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
