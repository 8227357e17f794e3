#include "models/unet1d.h"

#include <algorithm>

#include "engine/ops/add.h"
#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "engine/ops/pad.h"

namespace kern::models {

AnyNorm::AnyNorm(Norm kind, int channels) {
  if (kind == Norm::instance) instance.emplace(InstanceNormConfig{.channels = channels});
  else batch.emplace(BatchNormConfig{.channels = channels});
}

ConvUnit1d::ConvUnit1d(const UNet1dConfig& c, int in, int out, int stride, bool conv_only)
    : conv({.in = in, .out = out, .kernel = c.kernel, .stride = stride, .padding = c.kernel / 2}) {
  if (conv_only) return;
  norm.emplace(c.norm, out);
  act.emplace();
}

Tensor ConvUnit1d::operator()(const Tensor& x, const Tensor& residual, const Tensor& out) {
  if (norm) return (*norm)(conv(x, {}, norm->subtracts_mean()), {.prelu = &*act, .residual = residual}, out);
  return residual ? add(conv(x), residual, out) : conv(x, out);
}

ResidualUnit1d::ResidualUnit1d(const UNet1dConfig& c, int in, int out, int stride, int count, bool last_conv_only) {
  for (int i = 0; i < count; ++i)
    units.emplace_back(c, i == 0 ? in : out, out, i == 0 ? stride : 1, last_conv_only && i + 1 == count);
  if (stride != 1)
    shortcut.emplace(Conv1dConfig{.in = in, .out = out, .kernel = c.kernel, .stride = stride, .padding = c.kernel / 2});
  else if (in != out) shortcut.emplace(Conv1dConfig{.in = in, .out = out, .kernel = 1});
}

Tensor ResidualUnit1d::operator()(const Tensor& x, const Tensor& out) {
  const Tensor across = shortcut ? (*shortcut)(x) : x;
  Tensor y = x;
  for (size_t i = 0; i + 1 < units.size(); ++i) y = units[i](y);
  return units.back()(y, across, out);
}

UpBlock1d::UpBlock1d(const UNet1dConfig& c, int in, int out, int stride, bool is_top)
    : conv({.in = in,
            .out = out,
            .kernel = c.kernel,
            .stride = stride,
            .crop = c.kernel / 2,
            .output_padding = stride - 1}),
      norm(c.norm, out),
      unit(c, out, out, 1, 1, is_top) {}

Tensor UpBlock1d::operator()(const Tensor& x, const Tensor& out) {
  return unit(norm(conv(x, {}, norm.subtracts_mean()), {.prelu = &act}), out);
}

UNet1d::UNet1d(const UNet1dConfig& c, SourceLocation at) : config_(c) {
  check({c.channels.size() >= 2 && c.strides.size() + 1 == c.channels.size(), at},
        "a U-Net needs at least two channel counts and one stride less; got ", c.channels.size(), " channels and ",
        c.strides.size(), " strides");
  check({c.in >= 1 && c.out >= 1 && c.kernel >= 1 && c.kernel % 2 == 1 && c.residual_units >= 1, at},
        "a U-Net needs inputs, outputs and residual units of at least 1 and an odd kernel");
  for (int channels : c.channels)
    check({channels >= 1 && channels <= 1 << 16, at}, "a U-Net's channels must be from 1 to 65536, got ", channels);
  for (int stride : c.strides)
    check({stride >= 1 && stride <= 16, at}, "a U-Net's strides must be from 1 to 16, got ", stride);
  const size_t levels = c.strides.size();
  for (size_t i = 0; i < levels; ++i)
    down_.emplace_back(c, i == 0 ? c.in : c.channels[i - 1], c.channels[i], c.strides[i], c.residual_units);
  bottom_.emplace_back(c, c.channels[levels - 1], c.channels[levels], 1, c.residual_units);
  for (size_t i = 0; i < levels; ++i) {
    const int below = i + 1 == levels ? c.channels[levels] : c.channels[i];  // what the level below hands up
    up_.emplace_back(c, c.channels[i] + below, i == 0 ? c.out : c.channels[i - 1], c.strides[i], i == 0);
  }
}

int UNet1d::multiple() const {
  int m = 1;
  for (int s : config_.strides) m *= s;
  return m;
}

int UNet1d::receptive_field() const {
  int field = 1, jump = 1;
  auto convolution = [&](int count) { field += count * (config_.kernel - 1) * jump; };
  for (int s : config_.strides) {
    convolution(1);
    jump *= s;
    convolution(config_.residual_units - 1);
  }
  convolution(config_.residual_units);
  for (size_t i = config_.strides.size(); i-- > 0;) {
    convolution(1);
    jump /= config_.strides[i];
    convolution(1);
  }
  return field;
}

Tensor UNet1d::operator()(const Tensor& input) {
  check(input.rank() == 3 && input.channels() == config_.in, "the U-Net takes [N,L,", config_.in, "], got ",
        input.shape());
  // To the strides' multiple, and to two positions at the bottom at least: one has no variance to normalise by.
  const int64_t length = input.dim(1), m = multiple(), padded = std::max<int64_t>(2, (length + m - 1) / m) * m;
  Tensor x = padded == length ? input : mirror_pad1d(input, {0, int(padded - length)});
  // Going down, each level's output and the slice beside it for what comes up again lie in one buffer: concatenation is
  // free.
  struct Level {
    Tensor skip, beside;
  };
  std::vector<Level> levels;
  const size_t n = down_.size();
  for (size_t i = 0; i < n; ++i) {
    const int64_t l = (x.dim(1) - 1) / config_.strides[i] + 1;
    const int64_t widths[] = {config_.channels[i], i + 1 == n ? config_.channels[n] : config_.channels[i]};
    auto slices = Tensor::empty_channel_slices({x.dim(0), l}, widths, activation_options(x));
    x = down_[i](x, slices[0]);
    levels.push_back({x, slices[1]});
  }
  x = bottom_[0](x, levels[n - 1].beside);
  for (size_t i = n; i-- > 0;) x = up_[i](concat({levels[i].skip, x}), i > 0 ? levels[i - 1].beside : Tensor());
  return padded == length ? x : crop1d(x, {0, int(padded - length)});
}

}  // namespace kern::models
