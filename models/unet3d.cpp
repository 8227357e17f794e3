#include "models/unet3d.h"

#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/upsample.h"
#include "layers/conv_norm_act.h"
#include "models/multiple.h"

namespace kern::models {

ConvUnit3d::ConvUnit3d(int in, int out, bool normalised, float dropout)
    : conv({.in = in, .out = out, .kernel = 3, .padding = 1}), drop(dropout) {
  if (normalised) norm.emplace(BatchNormConfig{.channels = out});
}

Tensor ConvUnit3d::operator()(const Tensor& x, const Tensor& out) {
  if (!norm) {
    const bool drops = drop.mode.training && drop.p > 0;
    const Tensor y = conv_relu(conv, x, drops ? Tensor() : out);
    return drops ? channel_dropout(y, drop.p, default_generator(), out) : y;
  }
  if (const auto fold = fold_of(*norm, kRelu)) return conv(x, out, false, &*fold);
  return norm_act(*norm, {.act = Activation::relu, .dropout = &drop}, conv(x, {}, subtracts_mean(*norm)), out);
}

UNet3d::UNet3d(const UNet3dConfig& c, SourceLocation at) : config_(c) {
  check({c.channels.size() >= 2 && c.channels.size() <= 16, at}, "a U-Net needs 2 to 16 levels, got ",
        c.channels.size());
  check({c.in >= 1 && c.out >= 1, at}, "a U-Net needs at least one channel in and out, got ", c.in, " and ", c.out);
  check({c.dropout >= 0 && c.dropout < 1, at}, "a U-Net's dropout must be at least 0 and below 1, got ", c.dropout);
  for (int channels : c.channels)
    check({channels >= 1 && channels <= 1 << 16, at}, "a U-Net's channels must be from 1 to 65536, got ", channels);
  int width = c.in;
  for (int channels : c.channels) down_.emplace_back(width, channels, c), width = channels;
  for (size_t level = c.channels.size() - 1; level-- > 0;) {
    decode_.emplace_back(width + c.channels[level], c.channels[level], c);
    width = c.channels[level];
  }
  head_.emplace_back(Conv3dConfig{.in = width, .out = c.out, .kernel = 1});
}

int UNet3d::reach() const {
  const size_t bottom = config_.channels.size() - 1;
  int reach = 2 * (1 << bottom) + (1 << bottom) - 1;          // the bottom's convolutions, what pooling moves
  for (size_t l = 0; l < bottom; ++l) reach += 4 * (1 << l);  // two convolutions down, two up
  return reach;
}

Padding3d UNet3d::added(const Tensor& input) const {
  check(input.rank() == 5 && input.channels() == config_.in, "the 3-D U-Net takes [N,D,H,W,", config_.in, "], got ",
        input.shape());
  return to_multiple3d(input, multiple());
}

Tensor UNet3d::operator()(const Tensor& input) {
  const Padding3d more = added(input);
  return cropped(head_[0](decoded(input, more)), more);
}

BeforeHead UNet3d::before_head(const Tensor& input) {
  const Padding3d more = added(input);
  return {cropped(decoded(input, more), more), head_[0].weight, head_[0].bias};
}

Tensor UNet3d::decoded(const Tensor& input, const Padding3d& more) {
  Tensor x = padded(input, more);
  // Each level's output and the slice beside it for what comes up again lie in one buffer: concatenation is free.
  struct Level {
    Tensor beside, skip;
  };
  std::vector<Level> levels;
  const size_t bottom = down_.size() - 1;
  for (size_t i = 0; i < bottom; ++i) {
    const int64_t widths[] = {config_.channels[i + 1], config_.channels[i]};
    auto slices = Tensor::empty_channel_slices({x.dim(0), x.dim(1), x.dim(2), x.dim(3)}, widths, activation_options(x));
    const Tensor skip = down_[i](x, slices[1]);
    levels.push_back({slices[0], skip});
    x = max_pool3d(skip);
  }
  x = down_[bottom](x);
  for (size_t i = 0; i < bottom; ++i) {
    const Level level = std::move(levels.back());
    levels.pop_back();
    const Triple size(int(level.skip.dim(1)), int(level.skip.dim(2)), int(level.skip.dim(3)));
    x = decode_[i](concat({upsample3d(x, size, {}, level.beside), level.skip}));
  }
  return x;
}

}  // namespace kern::models
