#include "models/mobilenet_unet.h"

#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "layers/feature_dropout.h"
#include "layers/norm_act.h"
#include "models/multiple.h"

namespace kern::models {
namespace {
MobileNetV2Config alone(MobileNetV2Config encoder) {
  encoder.classes = 0;
  return encoder;
}
}  // namespace

PixUp::PixUp(const MobileNetV2Config& c, int in, int out, float p)
    : conv({.in = in, .out = out, .kernel = 3, .stride = 2, .crop = doubling_crop(c.padding), .bias = false}),
      norm({.channels = out,
            .eps = c.norm_eps.value_or(norm_eps_of(c.padding)),
            .momentum = c.norm_momentum.value_or(norm_momentum_of(c.padding))}),
      dropout(p) {
  conv.weight = Parameter(init_normal(conv.weight.shape(), 0.02));
}

Tensor PixUp::operator()(const Tensor& x, const Tensor& out) {
  if (const auto fold = fold_of(norm, kRelu)) return conv(x, out, false, &*fold);
  const bool drops = dropout.mode.training && dropout.p > 0;
  const Tensor y = norm_act(norm, {.act = Activation::relu}, conv(x), drops ? Tensor() : out);
  return drops ? kern::dropout(y, dropout.p, default_generator(), out) : y;
}

MobileNetUNet::MobileNetUNet(const MobileNetUNetConfig& c, SourceLocation at)
    : channels_(c.channels), encoder_(alone(c.encoder), at) {
  const std::vector<int>& taps = encoder_.tap_channels();
  check({c.channels.size() + 1 == taps.size(), at}, "this MobileNetV2 hands over ", taps.size() - 1,
        " levels, so the decoder needs ", taps.size() - 1, " numbers of channels, got ", c.channels.size());
  check({c.out >= 1, at}, "a U-Net needs at least one channel out, got ", c.out);
  check({c.dropout >= 0 && c.dropout < 1, at}, "a U-Net's dropout must be at least 0 and below 1, got ", c.dropout);
  int width = taps.back();
  for (size_t level = c.channels.size(); level-- > 0;) {
    check({c.channels[level] >= 1 && c.channels[level] <= 1 << 16, at},
          "a U-Net's channels must be from 1 to 65536, got ", c.channels[level]);
    up_.emplace_back(c.encoder, width, c.channels[level], c.dropout);
    width = c.channels[level] + taps[level];
  }
  head_.emplace_back(ConvTranspose2dConfig{
      .in = width, .out = c.out, .kernel = 3, .stride = 2, .crop = doubling_crop(c.encoder.padding)});
}

Tensor MobileNetUNet::operator()(const Tensor& input) {
  check(input.rank() == 4 && input.channels() == encoder_.config().in, "the U-Net takes [N,H,W,", encoder_.config().in,
        "], got ", input.shape());
  const Padding more = to_multiple(input, multiple());
  const int64_t h = input.dim(1) + more.bottom, w = input.dim(2) + more.right;
  // What comes up and what the encoder hands over lie side by side in one buffer: concatenation is free.
  std::vector<Tensor> beside, skips;
  for (size_t level = 0; level < channels_.size(); ++level) {
    const int64_t widths[] = {channels_[level], encoder_.tap_channels()[level]};
    auto slices = Tensor::empty_channel_slices({input.dim(0), h >> (level + 1), w >> (level + 1)}, widths,
                                               activation_options(input));
    beside.push_back(slices[0]), skips.push_back(slices[1]);
  }
  std::vector<Tensor> taps = encoder_.encode(padded(input, more), skips);
  for (Tensor& tap : taps) tap = FeatureDropout::applied(tap);
  Tensor x = taps.back();
  for (size_t i = 0; i < up_.size(); ++i) {
    const size_t level = up_.size() - 1 - i;
    x = concat({up_[i](x, beside[level]), taps[level]});
    taps[level] = {}, beside[level] = {}, skips[level] = {};
  }
  return cropped(head_[0](x), more);
}

}  // namespace kern::models
