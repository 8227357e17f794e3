#include "models/high_resolution3d.h"

#include <algorithm>

#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "models/multiple.h"

namespace kern::models {
namespace {

Conv3dConfig conv3(int in, int out, int stride = 1) {
  return {.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1, .bias = false};
}
Conv3dConfig conv1(int in, int out) { return {.in = in, .out = out, .kernel = 1, .bias = false}; }

Triple size_of(const Tensor& x) { return {int(x.dim(1)), int(x.dim(2)), int(x.dim(3))}; }
Shape positions_of(const Tensor& x) { return {x.dim(0), x.dim(1), x.dim(2), x.dim(3)}; }

}  // namespace

template <class Conv>
Tensor ConvNormSilu<Conv>::normalised(const Tensor& x, const Tensor& residual) {
  if (const auto fold = fold_of(norm)) {
    const Tensor y = conv(x, {}, false, &*fold);
    return residual ? add(y, residual) : y;
  }
  return norm_act(norm, {.residual = residual}, conv(x, {}, subtracts_mean(norm)));
}
template <class Conv>
Tensor ConvNormSilu<Conv>::operator()(const Tensor& x, const Tensor& out) {
  if (fold_of(norm)) return silu(normalised(x), out);
  return norm_act(norm, {.act = Activation::silu}, conv(x, {}, subtracts_mean(norm)), out);
}
template struct ConvNormSilu<Conv3d>;
template struct ConvNormSilu<ConvTranspose3d>;

Residual3d Residual3d::basic(int channels, float drop_path) {
  return {ConvNormSilu3d(conv3(channels, channels)),
          {},
          ConvNormSilu3d(conv3(channels, channels)),
          {},
          DropPath(drop_path)};
}

Residual3d Residual3d::bottleneck(int in, int middle, int out, float drop_path) {
  Residual3d block{ConvNormSilu3d(conv1(in, middle)),
                   ConvNormSilu3d(conv3(middle, middle)),
                   ConvNormSilu3d(conv1(middle, out)),
                   {},
                   DropPath(drop_path)};
  if (in != out) block.shortcut.emplace(conv1(in, out));
  return block;
}

Tensor Residual3d::operator()(const Tensor& x) {
  Tensor h = first(x);
  if (middle) h = (*middle)(h);
  const Tensor beside = shortcut ? shortcut->normalised(x) : x;
  const bool drops = drop.mode.training && drop.p > 0;
  return silu(drops ? add(drop(last.normalised(h)), beside) : last.normalised(h, beside));
}

StreamExchange3d::StreamExchange3d(int channels, const std::vector<float>& drop_path)
    : up(conv1(2 * channels, channels)), down(conv3(channels, 2 * channels, 2)) {
  for (const float p : drop_path) {
    fine.push_back(Residual3d::basic(channels, p));
    coarse.push_back(Residual3d::basic(2 * channels, p));
  }
}

StreamExchange3d::Streams StreamExchange3d::operator()(const Streams& x, const Tensor& out) {
  Streams s = x;
  for (auto& block : fine) s.fine = block(s.fine);
  for (auto& block : coarse) s.coarse = block(s.coarse);
  const Tensor from_coarse = upsample3d(up.normalised(s.coarse), size_of(s.fine));
  return {silu(add(s.fine, from_coarse), out), silu(down.normalised(s.fine, s.coarse))};
}

HighResolution3d::HighResolution3d(const HighResolution3dConfig& c, SourceLocation at) : config_(c) {
  check({c.in >= 1 && c.out >= 1, at}, "a high-resolution network needs at least one channel in and out, got ", c.in,
        " and ", c.out);
  check({c.channels >= 1 && c.channels <= 1 << 12, at},
        "a high-resolution network's channels must be from 1 to 4096, got ", c.channels);
  check({c.drop_path >= 0 && c.drop_path < 1, at},
        "a high-resolution network's drop path must be at least 0 and below 1, got ", c.drop_path);
  check({std::min({c.bottlenecks, c.modules, c.blocks_a_module}) >= 1, at},
        "a high-resolution network needs at least one bottleneck, exchange and block in it, got ", c.bottlenecks, ", ",
        c.modules, " and ", c.blocks_a_module);
  const int w = c.channels, last = c.bottlenecks + c.modules * c.blocks_a_module - 1;
  const auto drop_path = [&](int block) { return float(last > 0 ? c.drop_path * block / last : c.drop_path); };
  full_.emplace_back(conv3(c.in, w)), full_.emplace_back(conv3(w, w));
  half_.emplace_back(conv3(w, 2 * w, 2)), half_.emplace_back(conv3(2 * w, 2 * w));
  stem_.emplace_back(conv3(2 * w, 2 * w));
  int block = 0;
  for (; block < c.bottlenecks; ++block)
    bottlenecks_.push_back(Residual3d::bottleneck(block == 0 ? 2 * w : 8 * w, 2 * w, 8 * w, drop_path(block)));
  fine_.emplace_back(conv3(8 * w, w)), coarse_.emplace_back(conv3(8 * w, 2 * w, 2));
  for (int m = 0; m < c.modules; ++m) {
    std::vector<float> p;
    for (int i = 0; i < c.blocks_a_module; ++i) p.push_back(drop_path(block++));
    modules_.emplace_back(w, p);
  }
  back_.emplace_back(ConvTranspose3dConfig{.in = 5 * w, .out = w, .kernel = 4, .stride = 2, .crop = 1, .bias = false});
  Conv3dConfig biased = conv3(2 * w, w);
  biased.bias = true;
  out_.emplace_back(biased);
  biased.in = w;
  out_.emplace_back(biased);
  head_.emplace_back(Conv3dConfig{.in = w, .out = c.out, .kernel = 3, .padding = 1});
}

Tensor HighResolution3d::operator()(const Tensor& input) {
  check(input.rank() == 5 && input.channels() == config_.in, "the high-resolution network takes [N,D,H,W,", config_.in,
        "], got ", input.shape());
  const Padding3d more = to_multiple3d(input, multiple());
  const Tensor x = padded(input, more);
  // What is handed across lies beside what will come back to it: concatenation is free.
  const int64_t w = config_.channels, wide[] = {w, w}, three[] = {w, 2 * w, 2 * w};
  const auto at_full = Tensor::empty_channel_slices(positions_of(x), wide, activation_options(x));
  const Tensor full = full_[1](full_[0](x), at_full[1]);
  const Tensor halved = half_[0](full);
  const auto at_half = Tensor::empty_channel_slices(positions_of(halved), three, activation_options(x));
  const Tensor half = half_[1](halved, at_half[2]);
  Tensor h = stem_[0](half);
  for (auto& block : bottlenecks_) h = block(h);
  StreamExchange3d::Streams s{fine_[0](h), coarse_[0](h)};
  h = {};
  for (size_t m = 0; m < modules_.size(); ++m) s = modules_[m](s, m + 1 == modules_.size() ? at_half[0] : Tensor());
  const Tensor up = upsample3d(s.coarse, size_of(half), {}, at_half[1]);
  const Tensor back = back_[0](concat({s.fine, up, half}), at_full[0]);
  return cropped(head_[0](out_[1](out_[0](concat({back, full})))), more);
}

int HighResolution3d::reach() const {
  // Backwards along the widest path, the coarse stream: which positions an answer at x reads, at each resolution.
  struct Span {
    int first, last;
    void conv(int n) { first -= n, last += n; }
    void strided() { first = 2 * first - 1, last = 2 * last + 1; }
    static int half(int v) { return v >= 0 ? v / 2 : -((1 - v) / 2); }  // rounded down
  };
  int farthest = 0;
  for (int x = 0; x < multiple(); ++x) {
    Span s{x, x};
    s.conv(3);                                              // the output's convolutions
    s = {Span::half(s.first - 1), Span::half(s.last + 1)};  // the transposed one
    s = {Span::half(s.first), Span::half(s.last)};          // nearest up-sampling
    s.conv(2 * config_.modules * config_.blocks_a_module);  // the stream
    s.strided();                                            // from 1/2
    s.conv(config_.bottlenecks + 2);                        // bottlenecks, stem, the second at 1/2
    s.strided();                                            // from all
    s.conv(2);
    farthest = std::max({farthest, x - s.first, s.last - x});
  }
  return farthest;
}

}  // namespace kern::models
