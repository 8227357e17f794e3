#pragma once
#include "engine/ops/unary.h"
#include "layers/module.h"

namespace kern {

// y = x where x > 0, else slope x, any shape; the slope is fixed (PRelu learns it) and not negative. Maas et al. 2013.
struct LeakyRelu {
  float slope;
  explicit LeakyRelu(float s = 0.01f) : slope(s) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return leaky_relu(x, slope, out); }
  template <class V>
  void visit(V&&) {}
};

}  // namespace kern
