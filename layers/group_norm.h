#pragma once
#include "engine/ops/group_norm.h"
#include "layers/module.h"

namespace kern {

struct GroupNormConfig {
  int channels, groups;  // groups divides channels
  double eps = 1e-5;
  bool affine = true;
};

// x [N,...,channels]: every group of neighbouring channels of every sample to mean 0 and variance 1. Wu and He 2018.
struct GroupNorm {
  GroupNormConfig config;
  Parameter weight, bias;  // absent unless affine
  explicit GroupNorm(const GroupNormConfig& c) : config(c) {
    if (c.affine) weight = Parameter(Tensor::full({c.channels}, 1)), bias = Parameter(Tensor::zeros({c.channels}));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    return group_norm(x, config.groups, weight, bias, float(config.eps), out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
