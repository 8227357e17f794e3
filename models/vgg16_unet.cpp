#include "models/vgg16_unet.h"

#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "layers/conv_norm_act.h"
#include "layers/feature_dropout.h"
#include "models/multiple.h"

namespace kern::models {
namespace {
constexpr UpsampleOptions kBilinear{.how = Upsampling::linear, .align_corners = true};
}  // namespace

Vgg16UNet::Double::Double(int in, int out)
    : first({.in = in, .out = out, .kernel = 3, .padding = 1}),
      second({.in = out, .out = out, .kernel = 3, .padding = 1}) {}
Tensor Vgg16UNet::Double::operator()(const Tensor& x) { return second(conv_relu(first, x)); }

Vgg16UNet::Vgg16UNet(const Vgg16UNetConfig& c, SourceLocation at)
    : in_(c.in),
      channels_(c.channels),
      encoder_({.in = c.in, .channels = c.channels, .scaling = c.scaling}, at),
      dropout_(c.dropout) {
  check({c.channels.size() == 4, at}, "a VGG16-U-Net has four levels, got ", c.channels.size(), " numbers of channels");
  check({c.out >= 1, at}, "a U-Net needs at least one channel out, got ", c.out);
  check({c.dropout >= 0 && c.dropout < 1, at}, "a U-Net's dropout must be at least 0 and below 1, got ", c.dropout);
  int width = c.channels[3];
  for (int i = 0; i < 2; ++i) {
    bottleneck_.emplace_back(Conv2dConfig{.in = width, .out = 2 * c.channels[3], .kernel = 3, .padding = 1});
    width = 2 * c.channels[3];
  }
  for (int level = 3; level >= 0; --level) {
    if (level % 2) up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = width, .kernel = 2, .stride = 2});
    decode_.emplace_back(width + c.channels[size_t(level)], c.channels[size_t(level)]);
    width = c.channels[size_t(level)];
  }
  last_up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = width, .kernel = 2});
  head_.emplace_back(width, c.out);
}

Tensor Vgg16UNet::operator()(const Tensor& input) {
  check(input.rank() == 4 && input.channels() == in_, "the U-Net takes [N,H,W,", in_, "], got ", input.shape());
  const Padding more = to_multiple(input, multiple());
  const int64_t h = input.dim(1) + more.bottom, w = input.dim(2) + more.right;
  // What comes up and what the encoder hands over lie side by side in one buffer: concatenation is free.
  std::vector<Tensor> beside, skips;
  for (size_t level = 0; level < 4; ++level) {
    const int64_t coming = level == 3 ? 2 * channels_[3] : channels_[level + 1];
    const int64_t widths[] = {coming, channels_[level]};
    auto slices =
        Tensor::empty_channel_slices({input.dim(0), h >> level, w >> level}, widths, activation_options(input));
    beside.push_back(slices[0]), skips.push_back(slices[1]);
  }
  std::vector<Tensor> taps = encoder_.encode(padded(input, more), skips);
  for (Tensor& tap : taps) tap = FeatureDropout::applied(tap);
  Tensor x = max_pool2d(taps.back());
  x = conv_relu(bottleneck_[1], dropout_(conv_relu(bottleneck_[0], x)));
  for (size_t i = 0; i < 4; ++i) {
    const size_t level = 3 - i;
    const Tensor up = level % 2 ? up_[i / 2](x, beside[level])
                                : upsample(x, {int(h >> level), int(w >> level)}, kBilinear, beside[level]);
    x = relu(decode_[i](concat({up, taps[level]})));
    taps[level] = {}, beside[level] = {}, skips[level] = {};
  }
  x = upsample(conv_relu(last_up_[0], x), {int(h), int(w)}, kBilinear);
  return cropped(head_[0](x), more);
}

}  // namespace kern::models
