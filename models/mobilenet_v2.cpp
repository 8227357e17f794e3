#include "models/mobilenet_v2.h"

#include "engine/ops/add.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/unary.h"
#include "layers/norm_act.h"

namespace kern::models {
namespace {

// To the nearest multiple of 8, but never more than a tenth below: the original's rule.
int scaled(int channels, double width) {
  const double wanted = channels * width;
  int rounded = std::max(8, int(wanted + 4) / 8 * 8);
  if (rounded < 0.9 * wanted) rounded += 8;
  return width == 1 ? channels : rounded;
}

const MobileNetV2Config& checked(const MobileNetV2Config& c, SourceLocation at) {
  check({c.in >= 1 && c.classes >= 0 && c.stem >= 1 && c.last >= 1, at},
        "MobileNetV2 needs channels of at least 1, got in ", c.in, ", classes ", c.classes, ", stem ", c.stem,
        ", last ", c.last);
  check({c.width > 0 && c.width <= 64, at}, "MobileNetV2's width must be above 0 and at most 64, got ", c.width);
  check({!c.stages.empty(), at}, "MobileNetV2 needs at least one stage");
  check({c.dropout >= 0 && c.dropout < 1, at}, "MobileNetV2's dropout must be at least 0 and below 1, got ", c.dropout);
  for (const MobileNetStage& s : c.stages) {
    check({s.expand >= 1 && s.channels >= 1 && s.blocks >= 1, at},
          "a MobileNetV2 stage needs an expansion, channels and blocks of at least 1");
    check({s.stride == 1 || (s.stride == 2 && s.expand > 1), at},
          "a MobileNetV2 stage has stride 1, or 2 with an expansion above 1; got stride ", s.stride, " and expansion ",
          s.expand);
  }
  return c;
}

}  // namespace

ConvNorm6::ConvNorm6(const MobileNetV2Config& c, int in, int out, int kernel, int stride, int groups, bool acts)
    : conv({.in = in, .out = out, .kernel = kernel, .stride = stride, .groups = groups, .bias = false}),
      norm({.channels = out,
            .eps = c.norm_eps.value_or(norm_eps_of(c.padding)),
            .momentum = c.norm_momentum.value_or(norm_momentum_of(c.padding))}),
      act(acts),
      padding(c.padding) {}

Tensor ConvNorm6::operator()(const Tensor& x, const Tensor& out) {
  const Conv2dConfig& c = conv.config;
  const auto fold = fold_of(norm, act ? kRelu6 : kernels::Limits{});
  const Tensor y = conv2d(x, conv.weight, {},
                          {.stride = c.stride,
                           .padding = same_padding(padding, c.kernel.h, c.stride.h, x),
                           .groups = c.groups,
                           .fold = fold ? &*fold : nullptr},
                          fold ? out : Tensor());
  if (fold) return y;
  return norm_act(norm, {.act = act ? Activation::relu6 : Activation::identity}, y, out);
}

InvertedResidual::InvertedResidual(const MobileNetV2Config& c, int in, int out, int stride, int factor)
    : depthwise(c, in * factor, in * factor, 3, stride, in * factor, true),
      project(c, in * factor, out, 1, 1, 1, false),
      adds(stride == 1 && in == out) {
  if (factor > 1) expand.emplace(c, in, in * factor, 1, 1, 1, true);
}

Tensor InvertedResidual::operator()(const Tensor& x, Tensor* expanded, const Tensor& out) {
  const Tensor wide = expand ? (*expand)(x, out) : x;
  if (expanded) *expanded = wide;
  const Tensor y = project(depthwise(wide));
  return adds ? add(x, y) : y;
}

MobileNetV2::MobileNetV2(const MobileNetV2Config& c, SourceLocation at)
    : config_(checked(c, at)),
      scaling_(make_scaling(c.scaling.value_or(scaling_of(c.padding)), c.in, at)),
      stem_(c, c.in, scaled(c.stem, c.width), 3, 2, 1, true),
      dropout_(c.dropout) {
  int channels = scaled(c.stem, c.width);
  for (const MobileNetStage& s : c.stages)
    for (int i = 0; i < s.blocks; ++i) {
      const int out = scaled(s.channels, c.width), stride = i == 0 ? s.stride : 1;
      blocks_.emplace_back(c, channels, out, stride, s.expand);
      taps_.push_back(stride == 2);
      if (stride == 2) tap_channels_.push_back(channels * s.expand), end_channels_.push_back(channels);
      channels = out;
    }
  tap_channels_.push_back(channels), end_channels_.push_back(channels);
  if (c.classes == 0) return;
  const int last = scaled(c.last, std::max(1.0, c.width));
  last_.emplace(c, channels, last, 1, 1, 1, true);
  classifier_.emplace(LinearConfig{.in = last, .out = c.classes});
}

std::vector<Tensor> MobileNetV2::encode(const Tensor& input, const std::vector<Tensor>& slices) {
  check(input.rank() == 4 && input.channels() == config_.in, "MobileNetV2 takes [N,H,W,", config_.in, "], got ",
        input.shape());
  std::vector<Tensor> taps;
  Tensor x = stem_(scaling_(input));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (!taps_[i]) {
      x = blocks_[i](x);
      continue;
    }
    Tensor tap;
    x = blocks_[i](x, &tap, slices.empty() ? Tensor() : slices[taps.size()]);
    taps.push_back(tap);
  }
  taps.push_back(x);
  return taps;
}

std::vector<Tensor> MobileNetV2::ends(const Tensor& input) {
  check(input.rank() == 4 && input.channels() == config_.in, "MobileNetV2 takes [N,H,W,", config_.in, "], got ",
        input.shape());
  std::vector<Tensor> out;
  Tensor x = stem_(scaling_(input));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (taps_[i]) out.push_back(x);
    x = blocks_[i](x);
  }
  out.push_back(x);
  return out;
}

Tensor MobileNetV2::operator()(const Tensor& x) {
  check(classifier_.has_value(), "this MobileNetV2 is an encoder alone (classes = 0); it gives taps, not logits");
  return (*classifier_)(dropout_(global_avg_pool((*last_)(encode(x).back()))));
}

}  // namespace kern::models
