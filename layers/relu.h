#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

struct Relu {
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return relu(x, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
