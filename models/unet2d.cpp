#include "models/unet2d.h"

#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "layers/feature_dropout.h"
#include "models/multiple.h"

namespace kern::models {

DoubleConv2d::DoubleConv2d(int in, int out, float dropout)
    : first({.conv = {.in = in, .out = out, .kernel = 3, .padding = 1}, .dropout = dropout}),
      second({.conv = {.in = out, .out = out, .kernel = 3, .padding = 1}, .dropout = dropout}) {}

UNet2d::UNet2d(const UNet2dConfig& c, SourceLocation at) : config_(c) {
  check({c.channels.size() >= 2 && c.channels.size() <= 16, at}, "a U-Net needs 2 to 16 levels, got ",
        c.channels.size());
  check({c.in >= 1 && c.out >= 1, at}, "a U-Net needs at least one channel in and out, got ", c.in, " and ", c.out);
  check({c.dropout >= 0 && c.dropout < 1, at}, "a U-Net's dropout must be at least 0 and below 1, got ", c.dropout);
  for (int channels : c.channels)
    check({channels >= 1 && channels <= 1 << 16, at}, "a U-Net's channels must be from 1 to 65536, got ", channels);
  int width = c.in;
  for (int channels : c.channels) down_.emplace_back(width, channels, c.dropout), width = channels;
  for (size_t level = c.channels.size() - 1; level-- > 0;) {
    const int channels = c.channels[level];
    up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = channels, .kernel = 2, .stride = 2});
    decode_.emplace_back(2 * channels, channels, c.dropout);
    width = channels;
  }
  if (c.head_conv)
    head_conv_.emplace(ConvNormActConfig{.conv = {.in = width, .out = width, .kernel = 3, .padding = 1}});
  head_.emplace_back(Conv2dConfig{.in = width, .out = c.out, .kernel = 1});
}

Padding UNet2d::added(const Tensor& input) const {
  check(input.rank() == 4 && input.channels() == config_.in, "the U-Net takes [N,H,W,", config_.in, "], got ",
        input.shape());
  return to_multiple(input, multiple());
}

Tensor UNet2d::operator()(const Tensor& input) {
  const Padding more = added(input);
  return cropped(head_[0](decoded(input, more)), more);
}

BeforeHead UNet2d::before_head(const Tensor& input) {
  const Padding more = added(input);
  return {cropped(decoded(input, more), more), head_[0].weight, head_[0].bias};
}

Tensor UNet2d::decoded(const Tensor& input, const Padding& more) {
  Tensor x = padded(input, more);
  // Each level's output and the slice beside it for what comes up again lie in one buffer: concatenation is free.
  struct Level {
    Tensor beside, skip;
  };
  std::vector<Level> levels;
  const size_t bottom = down_.size() - 1;
  for (size_t i = 0; i < bottom; ++i) {
    const int64_t widths[] = {config_.channels[i], config_.channels[i]};
    auto slices = Tensor::empty_channel_slices({x.dim(0), x.dim(1), x.dim(2)}, widths, activation_options(x));
    const Tensor skip = down_[i](x, slices[1]);
    levels.push_back({slices[0], skip});
    x = max_pool2d(skip);
  }
  x = FeatureDropout::applied(down_[bottom](x));
  for (size_t i = 0; i < bottom; ++i) {
    const Level level = std::move(levels.back());
    levels.pop_back();
    x = decode_[i](concat({up_[i](x, level.beside), FeatureDropout::applied(level.skip)}));
  }
  return head_conv_ ? (*head_conv_)(x) : x;
}

}  // namespace kern::models
