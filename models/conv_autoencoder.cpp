#include "models/conv_autoencoder.h"

namespace kern::models {

ConvAutoencoder::ConvAutoencoder(const ConvAutoencoderConfig& c, SourceLocation at) : in_(c.in) {
  check({!c.channels.empty() && c.channels.size() <= 16, at}, "an auto-encoder needs 1 to 16 levels, got ",
        c.channels.size());
  check({c.in >= 1 && c.last >= 1, at}, "an auto-encoder needs channels of at least 1, got in ", c.in, " and last ",
        c.last);
  int width = c.in;
  for (int channels : c.channels) {
    check({channels >= 1 && channels <= 1 << 16, at}, "an auto-encoder's channels must be from 1 to 65536, got ",
          channels);
    down_.emplace_back(
        ConvNormActConfig{.conv = {.in = width, .out = channels, .kernel = 3, .stride = 2, .padding = 1}});
    width = channels;
  }
  for (size_t level = c.channels.size(); level-- > 0;) {
    const int channels = level > 0 ? c.channels[level - 1] : c.last;
    up_.emplace_back(ConvTranspose2dConfig{.in = width, .out = channels, .kernel = 4, .stride = 2, .crop = 1});
    width = channels;
  }
  head_.emplace_back(Conv2dConfig{.in = width, .out = c.in, .kernel = 3, .padding = 1});
}

Tensor ConvAutoencoder::operator()(const Tensor& input) {
  check(
      input.rank() == 4 && input.channels() == in_ && input.dim(1) % multiple() == 0 && input.dim(2) % multiple() == 0,
      "the auto-encoder takes [N,H,W,", in_, "] with H and W multiples of ", multiple(), ", got ", input.shape());
  Tensor x = input;
  for (auto& block : down_) x = block(x);
  for (auto& block : up_) x = block(x);
  return sigmoid_(head_[0](x));
}

}  // namespace kern::models
