#include "models/vgg16.h"

#include "engine/ops/max_pool.h"
#include "engine/ops/unary.h"
#include "layers/conv_norm_act.h"

namespace kern::models {

Vgg16::Vgg16(const Vgg16Config& c, SourceLocation at) : in_(c.in), scaling_(make_scaling(c.scaling, c.in, at)) {
  constexpr int kConvolutions[] = {2, 2, 3, 3, 3};
  check({!c.channels.empty() && c.channels.size() <= std::size(kConvolutions), at}, "VGG16 has 1 to 5 blocks, got ",
        c.channels.size());
  int width = c.in;
  for (size_t i = 0; i < c.channels.size(); ++i) {
    check({width >= 1 && c.channels[i] >= 1 && c.channels[i] <= 1 << 16, at},
          "VGG16's channels must be from 1 to 65536, got ", c.channels[i]);
    auto& block = blocks_.emplace_back();
    for (int k = 0; k < kConvolutions[i]; ++k) {
      block.emplace_back(Conv2dConfig{.in = width, .out = c.channels[i], .kernel = 3, .padding = 1});
      width = c.channels[i];
    }
  }
}

std::vector<Tensor> Vgg16::encode(const Tensor& input, const std::vector<Tensor>& slices) {
  check(input.rank() == 4 && input.channels() == in_, "VGG16 takes [N,H,W,", in_, "], got ", input.shape());
  std::vector<Tensor> taps;
  Tensor x = scaling_(input);
  for (auto& block : blocks_) {
    if (!taps.empty()) x = max_pool2d(x);
    for (Conv2d& conv : block) {
      const bool is_last = &conv == &block.back();
      x = conv_relu(conv, x, is_last && !slices.empty() ? slices[taps.size()] : Tensor());
    }
    taps.push_back(x);
  }
  return taps;
}

}  // namespace kern::models
