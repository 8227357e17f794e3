#pragma once
#include "engine/ops/batch_norm.h"
#include "layers/module.h"

namespace kern {

struct BatchNormConfig {
  int channels;
  double eps = 1e-5;
  // Weight of a batch in the running statistics (Keras counts the other way: 0.99 there is 0.01 here).
  double momentum = 0.1;
  bool affine = true;
};

// x [N,C], [N,L,C] or [N,H,W,C]. In training every channel to mean 0 and variance 1 over the batch and its positions,
// and the running statistics follow; in evaluation by the running statistics. Ioffe and Szegedy 2015.
struct BatchNorm {
  BatchNormConfig config;
  Parameter weight, bias;  // absent unless affine
  Buffer running_mean, running_variance;
  Mode mode;
  explicit BatchNorm(const BatchNormConfig& c)
      : config(c), running_mean(Tensor::zeros({c.channels})), running_variance(Tensor::full({c.channels}, 1)) {
    if (c.affine) weight = Parameter(Tensor::full({c.channels}, 1)), bias = Parameter(Tensor::zeros({c.channels}));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    return batch_norm(x, weight, bias, running_mean, running_variance,
                      {.training = mode.training, .momentum = float(config.momentum), .eps = float(config.eps)}, out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias), v("running_mean", running_mean), v("running_variance", running_variance),
        v("mode", mode);
  }
};

}  // namespace kern
