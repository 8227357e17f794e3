#include "models/pooled_autoencoder.h"

#include "engine/ops/max_pool.h"
#include "engine/ops/reshape.h"
#include "engine/ops/unary.h"
#include "layers/conv_norm_act.h"

namespace kern::models {
namespace {
const ConvVaeConfig& checked(const ConvVaeConfig& c, SourceLocation at) {
  check_size(c.size, at);
  check({c.channels >= 1 && c.hidden >= 1 && c.code >= 1, at},
        "an auto-encoder's channels, hidden and code must be at least 1, got ", c.channels, ", ", c.hidden, " and ",
        c.code);
  return c;
}
}  // namespace

PooledAutoencoder::PooledAutoencoder(const PooledAutoencoderConfig& c, SourceLocation at) : in_(c.in) {
  check({c.in >= 1 && !c.channels.empty() && c.channels.size() <= 16, at},
        "an auto-encoder needs 1 to 16 levels and channels, got ", c.channels.size(), " levels and ", c.in,
        " channels in");
  int width = c.in;
  for (const int channels : c.channels) {
    check({channels >= 1 && channels <= 1 << 16, at}, "an auto-encoder's channels must be from 1 to 65536, got ",
          channels);
    down_.emplace_back(Conv2dConfig{.in = width, .out = channels, .kernel = 3, .padding = 1});
    width = channels;
  }
  for (size_t level = c.channels.size(); level-- > 0;) {
    const int channels = level > 0 ? c.channels[level - 1] : c.in;
    up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = channels, .kernel = 2, .stride = 2});
    width = channels;
  }
}

Tensor PooledAutoencoder::operator()(const Tensor& input) {
  check(
      input.rank() == 4 && input.channels() == in_ && input.dim(1) % multiple() == 0 && input.dim(2) % multiple() == 0,
      "the auto-encoder takes [N,H,W,", in_, "] with H and W multiples of ", multiple(), ", got ", input.shape());
  Tensor x = input;
  for (Conv2d& conv : down_) x = max_pool2d(conv_relu(conv, x));
  for (ConvTranspose2d& conv : up_) x = &conv == &up_.back() ? sigmoid(conv(x)) : conv_relu(conv, x);
  return x;
}

ConvVae::ConvVae(const ConvVaeConfig& c, SourceLocation at)
    : config_(checked(c, at)),
      conv_({.in = c.size.channels, .out = c.channels, .kernel = 3, .stride = 2, .padding = 1}),
      hidden_({.in = reduced(), .out = c.hidden}),
      mean_({.in = c.hidden, .out = c.code}),
      spread_({.in = c.hidden, .out = c.code}),
      widen_({.in = c.code, .out = reduced()}),
      out_({.in = reduced(), .out = c.size.values()}) {}

int ConvVae::reduced() const {
  return config_.channels * ((config_.size.height + 1) / 2) * ((config_.size.width + 1) / 2);
}

Reconstruction ConvVae::reconstruct(const Tensor& input, std::optional<bool> draws) {
  const ImageSize& s = config_.size;
  check_images("auto-encoder", s, input);
  const Tensor x = linear_relu(hidden_, reshape(conv_relu(conv_, input), {input.dim(0), reduced()}));
  Reconstruction r{.mean = mean_(x), .spread = spread_(x), .kind = config_.spread, .divergence = config_.divergence};
  const Tensor code = draws.value_or(mode_.training) ? draw_code(r.mean, r.spread, r.kind) : r.mean;
  r.image = sigmoid(reshape(out_(linear_relu(widen_, code)), {input.dim(0), s.height, s.width, s.channels}));
  return r;
}

}  // namespace kern::models
