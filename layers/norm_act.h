// A norm and what follows it, fused into one op (engine/ops/norm_act.h) or op by op where fusion is off.
#pragma once
#include "engine/ops/add.h"
#include "engine/ops/norm_act.h"
#include "engine/prepared_filters.h"
#include "layers/batch_norm.h"
#include "layers/dropout.h"
#include "layers/fusion.h"
#include "layers/instance_norm.h"
#include "layers/prelu.h"
#include "layers/relu.h"
#include "layers/relu6.h"
#include "layers/silu.h"

namespace kern {

// What follows a norm: an activation (none, ReLU, ReLU6, SiLU, or PReLU by its layer), dropout of channels, a residual;
// each may be absent.
struct AfterNorm {
  Activation act = Activation::identity;
  PRelu* prelu = nullptr;
  ChannelDropout* dropout = nullptr;
  Tensor residual = {};
};

// Whether the norm takes the mean of this very input away: then the bias of the convolution before it cancels.
inline bool subtracts_mean(const BatchNorm& norm) { return norm.mode.training; }
inline bool subtracts_mean(const InstanceNorm&) { return true; }

inline Tensor fused(BatchNorm& norm, const Tensor& x, NormActParts parts, NormActOptions options, const Tensor& out) {
  parts.weight = norm.weight, parts.bias = norm.bias;
  parts.running_mean = norm.running_mean, parts.running_variance = norm.running_variance;
  options.training = norm.mode.training;
  options.momentum = float(norm.config.momentum), options.eps = float(norm.config.eps);
  return norm_act(x, parts, options, out);
}
inline Tensor fused(InstanceNorm& norm, const Tensor& x, NormActParts parts, NormActOptions options,
                    const Tensor& out) {
  parts.weight = norm.weight, parts.bias = norm.bias;
  options.per_sample = true;
  options.eps = float(norm.config.eps);
  return norm_act(x, parts, options, out);
}

// What the convolution before a norm can take into itself (engine/prepared_filters.h): the norm by its running
// statistics and the limits of the activation after it. Nothing where the network is not prepared, or fusion is off.
inline std::optional<Fold> fold_of(const BatchNorm& norm, kernels::Limits limits = {}) {
  if (!PreparedFilters::current() || !fusion_enabled() || norm.mode.training) return {};
  if (norm.running_mean.device() != Device::cpu) return {};
  return Fold{norm.weight, norm.bias, norm.running_mean, norm.running_variance, float(norm.config.eps), limits};
}
inline constexpr kernels::Limits kRelu{.low = 0};
inline constexpr kernels::Limits kRelu6{.low = 0, .high = 6};

// y = dropout(act(norm(x))) + residual, into `out` if given.
template <class Norm>
Tensor norm_act(Norm& norm, const AfterNorm& after, const Tensor& x, const Tensor& out = {}) {
  const bool drops = after.dropout && after.dropout->mode.training && after.dropout->p > 0;
  if (fusion_enabled())
    return fused(norm, x, {.slope = after.prelu ? after.prelu->weight : Tensor(), .residual = after.residual},
                 {.act = after.prelu ? Activation::prelu : after.act, .dropout = drops ? after.dropout->p : 0.0f}, out);
  const bool acts = after.act != Activation::identity || after.prelu;  // the last of these writes into `out`
  const Tensor none, &after_norm = acts || drops || after.residual ? none : out,
                     &after_act = drops || after.residual ? none : out;
  Tensor y = norm(x, after_norm);
  if (after.prelu) y = (*after.prelu)(y, after_act);
  else if (after.act == Activation::relu) y = relu(y, after_act);
  else if (after.act == Activation::relu6) y = relu6(y, after_act);
  else if (after.act == Activation::silu) y = silu(y, after_act);
  if (drops) y = channel_dropout(y, after.dropout->p, default_generator(), after.residual ? none : out);
  return after.residual ? add(y, after.residual, out) : y;
}

}  // namespace kern
