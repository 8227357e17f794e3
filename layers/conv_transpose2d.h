#pragma once
#include "engine/ops/conv_transpose2d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct ConvTranspose2dConfig {
  int in, out;
  Pair kernel;
  Pair stride = 1;
  Padding crop = 0;  // what other libraries call padding
  Pair output_padding = 0;
  bool bias = true;
};

// x [N,H,W,in] -> [N,P,Q,out]; weight [in,R,S,out], bias [out]. See engine/ops/conv_transpose2d.h.
struct ConvTranspose2d {
  ConvTranspose2dConfig config;
  Parameter weight, bias;
  explicit ConvTranspose2d(const ConvTranspose2dConfig& c) : config(c) {
    const int64_t fan_in = int64_t{c.kernel.h} * c.kernel.w * c.out;
    weight = Parameter(init_fan_in({c.in, c.kernel.h, c.kernel.w, c.out}, fan_in));
    if (c.bias) bias = Parameter(init_fan_in({c.out}, fan_in));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false, const Fold* fold = nullptr) {
    return conv_transpose2d(x, weight, bias,
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
