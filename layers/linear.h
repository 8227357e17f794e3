#pragma once
#include "engine/ops/linear.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct LinearConfig {
  int in, out;
  bool bias = true;
};

// x [...,in] -> [...,out], y = x w^T + b; weight [out,in], bias [out].
struct Linear {
  LinearConfig config;
  Parameter weight, bias;
  explicit Linear(const LinearConfig& c) : config(c), weight(init_fan_in({c.out, c.in}, c.in)) {
    if (c.bias) bias = Parameter(init_fan_in({c.out}, c.in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}) { return linear(x, weight, bias, out); }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
