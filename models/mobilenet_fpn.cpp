#include "models/mobilenet_fpn.h"

#include "engine/ops/add.h"
#include "engine/ops/upsample.h"
#include "layers/feature_dropout.h"
#include "models/multiple.h"

namespace kern::models {
namespace {
MobileNetV2Config alone(MobileNetV2Config encoder) {
  encoder.classes = 0;
  return encoder;
}
Tensor enlarged(const Tensor& x, const Tensor& to) {
  return upsample(x, {int(to.dim(1)), int(to.dim(2))}, {.how = Upsampling::linear});
}
}  // namespace

MobileNetFpn::MobileNetFpn(const MobileNetFpnConfig& c, SourceLocation at)
    : encoder_(alone(c.encoder), at), dropout_(c.dropout) {
  const std::vector<int>& taps = encoder_.tap_channels();
  check({taps.size() >= 3, at}, "a feature pyramid needs an encoder that halves a size three times, got ", taps.size());
  check({c.channels.size() == 2, at},
        "a feature pyramid has two numbers of channels, its own and those that its levels are merged in, got ",
        c.channels.size());
  check({c.out >= 1, at}, "a feature pyramid needs at least one channel out, got ", c.out);
  check({c.dropout >= 0 && c.dropout < 1, at}, "its dropout must be at least 0 and below 1, got ", c.dropout);
  for (const int channels : c.channels)
    check({channels >= 1 && channels <= 1 << 16, at}, "a feature pyramid's channels must be from 1 to 65536, got ",
          channels);
  for (size_t i = 0; i + 1 < taps.size(); ++i) {  // the first tap, at half the size, is passed by
    lateral_.emplace_back(Conv2dConfig{.in = taps[i + 1], .out = c.channels[0], .kernel = 1});
    std::vector<ConvNormAct2d>& convolutions = merge_.emplace_back();
    for (size_t n = 0; n < std::max<size_t>(1, i); ++n)
      convolutions.emplace_back(ConvNormActConfig{
          .conv = {.in = c.channels[n == 0 ? 0 : 1], .out = c.channels[1], .kernel = 3, .padding = 1, .bias = false}});
  }
  head_.emplace_back(Conv2dConfig{.in = c.channels[1], .out = c.out, .kernel = 1});
}

Tensor MobileNetFpn::operator()(const Tensor& input) {
  check(input.rank() == 4 && input.channels() == encoder_.config().in, "the feature pyramid takes [N,H,W,",
        encoder_.config().in, "], got ", input.shape());
  const Padding more = to_multiple(input, multiple());
  const Tensor x = padded(input, more);
  std::vector<Tensor> taps = encoder_.encode(x);
  taps.erase(taps.begin());
  std::vector<Tensor> pyramid(taps.size());
  for (size_t i = taps.size(); i-- > 0;) {
    pyramid[i] = lateral_[i](FeatureDropout::applied(taps[i]));
    if (i + 1 < taps.size()) pyramid[i] = add(pyramid[i], enlarged(pyramid[i + 1], pyramid[i]));
    taps[i] = {};
  }
  Tensor sum;
  for (size_t i = 0; i < pyramid.size(); ++i) {
    Tensor y = pyramid[i];
    for (size_t n = 0; n < merge_[i].size(); ++n) {
      y = merge_[i][n](y);
      if (i > 0) y = enlarged(y, pyramid[i - 1 - n]);
    }
    sum = sum ? add(sum, y) : y;
  }
  return cropped(enlarged(head_[0](dropout_(sum)), x), more);
}

}  // namespace kern::models
