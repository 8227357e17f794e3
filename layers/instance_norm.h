#pragma once
#include "engine/ops/instance_norm.h"
#include "layers/module.h"

namespace kern {

struct InstanceNormConfig {
  int channels;
  double eps = 1e-5;
  bool affine = false;
};

// Every channel of every sample to mean 0 and variance 1 over its positions. Ulyanov et al. 2016.
struct InstanceNorm {
  InstanceNormConfig config;
  Parameter weight, bias;  // absent unless affine
  explicit InstanceNorm(const InstanceNormConfig& c) : config(c) {
    if (c.affine) weight = Parameter(Tensor::full({c.channels}, 1)), bias = Parameter(Tensor::zeros({c.channels}));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    return instance_norm(x, weight, bias, float(config.eps), out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
