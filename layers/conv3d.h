#pragma once
#include "engine/ops/conv3d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct Conv3dConfig {
  int in, out;
  Triple kernel;
  Triple stride = 1;
  Padding3d padding = 0;
  Triple dilation = 1;
  int groups = 1;
  bool bias = true;
};

// x [N,D,H,W,in] -> [N,O,P,Q,out]; weight [out,T,R,S,in/groups], bias [out]. See engine/ops/conv3d.h.
struct Conv3d {
  Conv3dConfig config;
  Parameter weight, bias;
  explicit Conv3d(const Conv3dConfig& c) : config(c) {
    const int64_t fan_in = int64_t{c.kernel.d} * c.kernel.h * c.kernel.w * c.in / c.groups;
    weight = Parameter(init_fan_in({c.out, c.kernel.d, c.kernel.h, c.kernel.w, c.in / c.groups}, fan_in));
    if (c.bias) bias = Parameter(init_fan_in({c.out}, fan_in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false, const Fold* fold = nullptr) {
    return conv3d(x, weight, bias,
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
