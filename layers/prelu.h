#pragma once
#include "engine/ops/prelu.h"
#include "layers/module.h"

namespace kern {

// y = x where x > 0, else slope x; one slope, or one per channel. He et al. 2015.
struct PRelu {
  Parameter weight;
  explicit PRelu(int slopes = 1, float start = 0.25f) : weight(Tensor::full({slopes}, start)) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return prelu(x, weight, out); }
  template <class V>
  void visit(V&& v) {
    v("weight", weight);
  }
};

}  // namespace kern
