#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = x min(max(x + 3, 0), 6) / 6, any shape.
struct Hardswish {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return hardswish(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
