#pragma once
#include "engine/ops/conv1d.h"
#include "layers/init.h"
#include "layers/module.h"

namespace kern {

struct Conv1dConfig {
  int in, out, kernel;
  int stride = 1;
  Sides padding = 0;
  int dilation = 1, groups = 1;
  bool bias = true;
};

// x [N,L,in] -> [N,Q,out]; weight [out,kernel,in/groups], bias [out]. See engine/ops/conv1d.h.
struct Conv1d {
  Conv1dConfig config;
  Parameter weight, bias;
  explicit Conv1d(const Conv1dConfig& c)
      : config(c), weight(init_fan_in({c.out, c.kernel, c.in / c.groups}, int64_t{c.kernel} * c.in / c.groups)) {
    if (c.bias) bias = Parameter(init_fan_in({c.out}, int64_t{c.kernel} * c.in / c.groups));
  }
  Tensor operator()(const Tensor& x, const Tensor& out = {}, bool bias_cancels = false) {
    return conv1d(x, weight, bias,
                  {.stride = config.stride,
                   .padding = config.padding,
                   .dilation = config.dilation,
                   .groups = config.groups,
                   .bias_cancels = bias_cancels},
                  out);
  }
  template <class V>
  void visit(V&& v) {
    v("weight", weight), v("bias", bias);
  }
};

}  // namespace kern
