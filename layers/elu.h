#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = x where x > 0, else alpha (exp(x) - 1), any shape. Clevert et al. 2016.
struct Elu {
  float alpha;
  explicit Elu(float a = 1) : alpha(a) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return elu(x, alpha, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
