#include "training/section_inference.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/unary.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

// Where tiles begin along a side: evenly spread, the first at 0, the last at the end.
std::vector<int64_t> starts(int64_t length, int64_t tile, double overlap) {
  if (length <= tile) return {0};
  const auto step = std::max<int64_t>(1, int64_t(double(tile) * (1 - overlap)));
  const int64_t count = (length - tile + step - 1) / step + 1;
  std::vector<int64_t> at;
  for (int64_t i = 0; i < count; ++i) at.push_back(i * (length - tile) / (count - 1));
  return at;
}

std::vector<float> bell(int64_t n) {
  std::vector<float> w;
  const double middle = double(n - 1) / 2, deviation = std::max(1.0, double(n) / 8);
  // No weight is so small that a corner reached by one tile alone would lose its value.
  for (int64_t i = 0; i < n; ++i)
    w.push_back(float(std::exp(-0.5 * std::pow((double(i) - middle) / deviation, 2)) + 1e-4));
  return w;
}

// y += the network's sigmoid over the part [h0, h0 + h) x [w0, w0 + w).
std::vector<float> through(const AnyModule& network, std::span<const float> section, int64_t W, int64_t h0, int64_t w0,
                           int64_t h, int64_t w, bool turned) {
  std::vector<float> part(size_t(h * w));
  for (int64_t y = 0; y < h; ++y)
    std::copy_n(section.data() + (h0 + (turned ? h - 1 - y : y)) * W + w0, w, part.data() + y * w);
  const Tensor p = sigmoid(network(Tensor::from({1, h, w, 1}, part).to(network.device()))).to(Device::cpu);
  check(p.channels() == 1, "the network must give one logit for every sample, it gives ", p.channels());
  std::vector<float> out = p.values();
  if (turned)
    for (int64_t y = 0; y < h / 2; ++y)
      std::swap_ranges(out.begin() + y * w, out.begin() + (y + 1) * w, out.begin() + (h - 1 - y) * w);
  return out;
}

}  // namespace

std::vector<float> section_probability(const AnyModule& network, std::span<const float> section, int64_t H, int64_t W,
                                       const TileOptions& o) {
  check(int64_t(section.size()) == H * W && H >= 1 && W >= 1, "a section of ", H, " x ", W,
        " samples needs as many values, got ", section.size());
  check(o.tile >= 16 && o.overlap >= 0 && o.overlap <= 0.9,
        "a tile must be at least 16 samples wide and the overlap from 0 to 0.9, got ", o.tile, " and ", o.overlap);
  const NoGrad off;
  const int64_t h = H <= 2 * o.tile ? H : o.tile, w = W <= 2 * o.tile ? W : o.tile;
  const std::vector<float> down = bell(h), across = bell(w);
  std::vector<float> sum(section.size(), 0.0f), weight(section.size(), 0.0f);
  for (const int64_t h0 : starts(H, h, o.overlap))
    for (const int64_t w0 : starts(W, w, o.overlap)) {
      std::vector<float> p = through(network, section, W, h0, w0, h, w, false);
      if (o.flips) {
        const std::vector<float> q = through(network, section, W, h0, w0, h, w, true);
        for (size_t i = 0; i < p.size(); ++i) p[i] = 0.5f * (p[i] + q[i]);
      }
      for (int64_t y = 0; y < h; ++y)
        for (int64_t x = 0; x < w; ++x) {
          const auto at = size_t((h0 + y) * W + w0 + x);
          const float share = down[size_t(y)] * across[size_t(x)];
          sum[at] += share * p[size_t(y * w + x)];
          weight[at] += share;
        }
    }
  for (size_t i = 0; i < sum.size(); ++i) sum[i] /= weight[i];
  return sum;
}

}  // namespace kern::training
