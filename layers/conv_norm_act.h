#pragma once
#include "layers/conv2d.h"
#include "layers/conv_transpose2d.h"
#include "layers/norm_act.h"

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
  ChannelDropout drop;
  explicit ConvNormAct2d(const ConvNormActConfig& c)
      : conv(c.conv), norm({.channels = c.conv.out, .eps = c.eps, .momentum = c.momentum}), drop(c.dropout) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    if (const auto fold = fold_of(norm, kRelu)) return conv(x, out, false, &*fold);
    return norm_act(norm, {.act = Activation::relu, .dropout = &drop}, conv(x, {}, subtracts_mean(norm)), out);
  }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm), v("drop", drop);
  }
};

// transposed conv -> batch norm -> ReLU: x [N,H,W,in] -> [N,P,Q,out].
struct ConvTransposeNormAct2d {
  ConvTranspose2d conv;
  BatchNorm norm;
  explicit ConvTransposeNormAct2d(const ConvTranspose2dConfig& c) : conv(c), norm({.channels = c.out}) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    if (const auto fold = fold_of(norm, kRelu)) return conv(x, out, false, &*fold);
    return norm_act(norm, {.act = Activation::relu}, conv(x, {}, subtracts_mean(norm)), out);
  }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm);
  }
};

// relu(conv(x)), in one op where the network is prepared.
template <class Conv>
Tensor conv_relu(Conv& conv, const Tensor& x, const Tensor& out = {}) {
  if (!PreparedFilters::current() || !fusion_enabled() || conv.weight.device() != Device::cpu)
    return relu(conv(x), out);
  const Fold fold{.limits = kRelu};
  return conv(x, out, false, &fold);
}

}  // namespace kern
