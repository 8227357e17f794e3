#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

struct Relu {
  Tensor operator()(const Tensor& x, const Tensor& slot = {}) { return relu(x, slot); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
