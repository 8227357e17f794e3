#pragma once
#include "engine/ops/conv_transpose3d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct ConvTranspose3dConfig {
  int in, out;
  Triple kernel;
  Triple stride = 1;
  Padding3d crop = 0;  // what other libraries call padding
  Triple output_padding = 0;
  bool bias = true;
};

// x [N,D,H,W,in] -> [N,O,P,Q,out]; weight [in,T,R,S,out], bias [out]. See engine/ops/conv_transpose3d.h.
struct ConvTranspose3d {
  ConvTranspose3dConfig config;
  Parameter weight, bias;
  explicit ConvTranspose3d(const ConvTranspose3dConfig& c) : config(c) {
    const int64_t fan_in = int64_t{c.kernel.d} * c.kernel.h * c.kernel.w * c.out;
    weight = Parameter(init_fan_in({c.in, c.kernel.d, c.kernel.h, c.kernel.w, c.out}, fan_in));
    if (c.bias) bias = Parameter(init_fan_in({c.out}, fan_in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false, const Fold* fold = nullptr) {
    return conv_transpose3d(x, weight, bias,
                            {.stride = config.stride,
                             .crop = config.crop,
                             .output_padding = config.output_padding,
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
