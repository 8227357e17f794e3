#pragma once
#include <optional>

#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/relu.h"

namespace kern {

struct ConvNormActConfig {
  Conv2dConfig conv;
  double eps = 1e-5, momentum = 0.1;  // of the batch norm
  float dropout = 0;                  // of whole channels, after the activation
};

// conv -> batch norm -> ReLU (-> dropout of channels): x [N,H,W,in] -> [N,P,Q,out].
struct ConvNormAct2d {
  Conv2d conv;
  BatchNorm norm;
  Relu act;
  ChannelDropout drop;
  explicit ConvNormAct2d(const ConvNormActConfig& c)
      : conv(c.conv), norm({.channels = c.conv.out, .eps = c.eps, .momentum = c.momentum}), drop(c.dropout) {}
  Tensor operator()(const Tensor& x, const Tensor& slot = {}) {
    if (drop.p > 0 && drop.mode.training) return drop(act(norm(conv(x))), slot);
    return act(norm(conv(x)), slot);
  }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("act", act), v("drop", drop);
  }
};

}  // namespace kern
