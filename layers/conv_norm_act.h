#pragma once
#include "layers/conv2d.h"
#include "layers/conv3d.h"
#include "layers/conv_transpose2d.h"
#include "layers/conv_transpose3d.h"
#include "layers/norm_act.h"

namespace kern {

template <class Conv>
struct ConvNormActConfigOf {
  decltype(Conv::config) conv;
  double eps = 1e-5, momentum = 0.1;  // of the batch norm
  float dropout = 0;                  // of whole channels, after the activation
};

// conv -> batch norm -> ReLU (-> dropout of channels): x [N,H,W,in] -> [N,P,Q,out], or of volumes.
template <class Conv>
struct ConvNormAct {
  Conv conv;
  BatchNorm norm;
  ChannelDropout drop;
  explicit ConvNormAct(const ConvNormActConfigOf<Conv>& c)
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
using ConvNormActConfig = ConvNormActConfigOf<Conv2d>;
using ConvNormAct2d = ConvNormAct<Conv2d>;
using ConvNormAct3dConfig = ConvNormActConfigOf<Conv3d>;
using ConvNormAct3d = ConvNormAct<Conv3d>;

// transposed conv -> batch norm -> ReLU: x [N,H,W,in] -> [N,P,Q,out], or of volumes.
template <class Conv>
struct ConvTransposeNormAct {
  Conv conv;
  BatchNorm norm;
  explicit ConvTransposeNormAct(const decltype(Conv::config)& c) : conv(c), norm({.channels = c.out}) {}
  Tensor operator()(const Tensor& x, const Tensor& out = {}) {
    if (const auto fold = fold_of(norm, kRelu)) return conv(x, out, false, &*fold);
    return norm_act(norm, {.act = Activation::relu}, conv(x, {}, subtracts_mean(norm)), out);
  }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("norm", norm);
  }
};
using ConvTransposeNormAct2d = ConvTransposeNormAct<ConvTranspose2d>;
using ConvTransposeNormAct3d = ConvTransposeNormAct<ConvTranspose3d>;

// relu(conv(x)), in one op where the network is prepared.
template <class Conv>
Tensor conv_relu(Conv& conv, const Tensor& x, const Tensor& out = {}) {
  if (!PreparedFilters::current() || !fusion_enabled() || conv.weight.device() != Device::cpu)
    return relu(conv(x), out);
  const Fold fold{.limits = kRelu};
  return conv(x, out, false, &fold);
}

}  // namespace kern
