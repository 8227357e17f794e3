#include "models/dense_autoencoder.h"

#include "engine/ops/reshape.h"
#include "engine/ops/unary.h"

namespace kern::models {
namespace {
std::vector<Linear> chain(const std::vector<int>& widths, SourceLocation at) {
  for (const int w : widths) check({w >= 1, at}, "an auto-encoder's layers must be at least 1 wide, got ", w);
  std::vector<Linear> layers;
  for (size_t i = 0; i + 1 < widths.size(); ++i) layers.push_back(Linear({.in = widths[i], .out = widths[i + 1]}));
  return layers;
}
std::vector<int> joined(std::vector<int> a, const std::vector<int>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Tensor flat(const Tensor& x) { return reshape(x, {x.dim(0), x.dim(1) * x.dim(2) * x.dim(3)}); }
Tensor image(const Tensor& values, const ImageSize& s) {
  return sigmoid(reshape(values, {values.dim(0), s.height, s.width, s.channels}));
}
}  // namespace

void check_size(const ImageSize& s, SourceLocation at) {
  check({s.channels >= 1 && s.height >= 1 && s.width >= 1 && int64_t{s.height} * s.width * s.channels <= 1 << 24, at},
        "an auto-encoder's images must have at least 1 and at most 2^24 values, got ", s.height, " x ", s.width, " of ",
        s.channels, " channels");
}
void check_images(const char* model, const ImageSize& s, const Tensor& x) {
  check(x.rank() == 4 && x.dim(1) == s.height && x.dim(2) == s.width && x.channels() == s.channels, "the ", model,
        " takes [N,", s.height, ",", s.width, ",", s.channels, "], got ", x.shape());
}

DenseAutoencoder::DenseAutoencoder(const DenseAutoencoderConfig& c, SourceLocation at) : size_(c.size) {
  check_size(c.size, at);
  const std::vector<int> back(c.hidden.rbegin(), c.hidden.rend());
  layers_ = chain(joined(joined(joined(joined({c.size.values()}, c.hidden), {c.code}), back), {c.size.values()}), at);
}

Tensor DenseAutoencoder::operator()(const Tensor& input) {
  check_images("auto-encoder", size_, input);
  Tensor x = flat(input);
  for (Linear& layer : layers_) x = &layer == &layers_.back() ? layer(x) : linear_relu(layer, x);
  return image(x, size_);
}

Vae::Vae(const VaeConfig& c, SourceLocation at) : config_(c) {
  check_size(c.size, at);
  check({c.code >= 1, at}, "a VAE's code must be at least 1 wide, got ", c.code);
  encode_ = chain(joined({c.size.values()}, c.hidden), at);
  const int last = c.hidden.empty() ? c.size.values() : c.hidden.back();
  mean_.push_back(Linear({.in = last, .out = c.code}));
  spread_.push_back(Linear({.in = last, .out = c.code}));
  decode_ = chain(joined(joined({c.code}, c.back), {c.size.values()}), at);
}

Reconstruction Vae::reconstruct(const Tensor& input, std::optional<bool> draws) {
  check_images("VAE", config_.size, input);
  Tensor x = flat(input);
  for (Linear& layer : encode_) x = linear_relu(layer, x);
  Reconstruction r{
      .mean = mean_[0](x), .spread = spread_[0](x), .kind = config_.spread, .divergence = config_.divergence};
  x = draws.value_or(mode_.training) ? draw_code(r.mean, r.spread, r.kind) : r.mean;
  for (Linear& layer : decode_) x = &layer == &decode_.back() ? layer(x) : linear_relu(layer, x);
  r.image = image(x, config_.size);
  return r;
}

}  // namespace kern::models
