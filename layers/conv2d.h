#pragma once
#include "engine/ops/conv2d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct Conv2dConfig {
  int in, out;
  Pair kernel;
  Pair stride = 1;
  Padding padding = 0;
  Pair dilation = 1;
  int groups = 1;
  bool bias = true;
};

// x [N,H,W,in] -> [N,P,Q,out]; weight [out,R,S,in/groups], bias [out]. See engine/ops/conv2d.h.
struct Conv2d {
  Conv2dConfig config;
  Parameter weight, bias;
  explicit Conv2d(const Conv2dConfig& c) : config(c) {
    const int64_t fan_in = int64_t{c.kernel.h} * c.kernel.w * c.in / c.groups;
    weight = Parameter(init_fan_in({c.out, c.kernel.h, c.kernel.w, c.in / c.groups}, fan_in));
    if (c.bias) bias = Parameter(init_fan_in({c.out}, fan_in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false, const Fold* fold = nullptr) {
    return conv2d(x, weight, bias,
                  {.stride = config.stride,
                   .padding = config.padding,
                   .dilation = config.dilation,
                   .groups = config.groups,
                   .bias_cancels = bias_cancels,
                   .fold = fold},
                  out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
