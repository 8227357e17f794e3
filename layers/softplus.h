#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = log(1 + exp(beta x)) / beta, any shape: a smooth relu, always positive.
struct Softplus {
  float beta, threshold;
  explicit Softplus(float b = 1, float t = 20) : beta(b), threshold(t) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return softplus(x, beta, threshold, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
