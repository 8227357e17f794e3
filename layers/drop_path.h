#pragma once
#include "engine/ops/dropout.h"
#include "layers/module.h"

namespace kern {

// In training a sample's whole branch is dropped with probability p and the others' scaled by 1/(1-p); in evaluation
// the identity. For what is added to a residual: y = x + drop_path(branch(x)). "Stochastic depth", Huang et al. 2016.
struct DropPath {
  float p;
  Mode mode;
  explicit DropPath(float probability = 0.1f) : p(probability) {}
  Tensor operator()(const Tensor& x) { return mode.training && p > 0 ? sample_dropout(x, p) : x; }
  template <class V>
  void visit(V&& v) {
    v("mode", mode);
  }
};

}  // namespace kern
