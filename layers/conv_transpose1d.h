#pragma once
#include "engine/ops/conv_transpose1d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct ConvTranspose1dConfig {
  int in, out, kernel;
  int stride = 1;
  Sides crop = 0;  // what other libraries call padding
  int output_padding = 0;
  bool bias = true;
};

// x [N,L,in] -> [N,Q,out], Q = (L - 1) stride + kernel - crop.left - crop.right + output_padding; weight
// [in,kernel,out].
struct ConvTranspose1d {
  ConvTranspose1dConfig config;
  Parameter weight, bias;
  explicit ConvTranspose1d(const ConvTranspose1dConfig& c)
      : config(c), weight(init_fan_in({c.in, c.kernel, c.out}, int64_t{c.kernel} * c.out)) {
    if (c.bias) bias = Parameter(init_fan_in({c.out}, int64_t{c.kernel} * c.out));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false) {
    return conv_transpose1d(x, weight, bias,
                            {.stride = config.stride,
                             .crop = config.crop,
                             .output_padding = config.output_padding,
                             .bias_cancels = bias_cancels},
                            out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
