#include "training/tiled_inference.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/softmax.h"
#include "engine/ops/unary.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::vector<float> bell(int64_t n) {
  std::vector<float> w;
  const double middle = double(n - 1) / 2, deviation = std::max(1.0, double(n) / 8);
  // No weight is so small that a corner reached by one tile alone would lose its value.
  for (int64_t i = 0; i < n; ++i)
    w.push_back(float(std::exp(-0.5 * std::pow((double(i) - middle) / deviation, 2)) + 1e-4));
  return w;
}

// One of the passes of probabilities_of().
std::vector<float> pass(const AnyModule& network, std::span<const float> x, int64_t h, int64_t w, int64_t K,
                        Mirrored mirrored) {
  const int64_t C = int64_t(x.size()) / (h * w);
  const auto there = [&](int64_t i, int64_t j) {
    return (mirrored.down ? h - 1 - i : i) * w + (mirrored.across ? w - 1 - j : j);
  };
  std::vector<float> in(x.size());
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) std::copy_n(x.begin() + (i * w + j) * C, C, in.begin() + there(i, j) * C);
  const Tensor logits = network(Tensor::from({1, h, w, C}, in).to(network.device()));
  const bool one = logits.channels() == 1 && K <= 2;
  check(one || logits.channels() == K, "the network gives ", logits.channels(), " logits for every position, and ", K,
        K == 1 ? " class is" : " classes are", " asked for");
  const std::vector<float> p = one ? sigmoid(logits).values() : softmax(logits).values();
  std::vector<float> out(size_t(h * w * K));
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      const int64_t from = there(i, j);
      float* const to = out.data() + (i * w + j) * K;
      if (!one) std::copy_n(p.begin() + from * K, K, to);
      else if (K == 1) to[0] = p[size_t(from)];
      else to[0] = 1 - p[size_t(from)], to[1] = p[size_t(from)];
    }
  return out;
}

}  // namespace

std::vector<int64_t> tile_starts(int64_t length, int64_t tile, double overlap) {
  if (length <= tile) return {0};
  const auto step = std::max<int64_t>(1, int64_t(double(tile) * (1 - overlap)));
  const int64_t count = (length - tile + step - 1) / step + 1;
  std::vector<int64_t> at;
  for (int64_t i = 0; i < count; ++i) at.push_back(i * (length - tile) / (count - 1));
  return at;
}

void blend_tiles(const Tiling& t, int64_t K, const std::function<std::vector<float>(int64_t y, int64_t x)>& tile,
                 const RowsOfProbabilities& give) {
  internal_check(t.h >= 1 && t.w >= 1 && t.h <= t.H && t.w <= t.W, "tiles are parts of the whole");
  const std::vector<int64_t> rows = tile_starts(t.H, t.h, t.overlap), columns = tile_starts(t.W, t.w, t.overlap);
  const std::vector<float> down = bell(t.h), across = bell(t.w);
  // The band of rows that the present row of tiles covers.
  std::vector<float> sum(size_t(t.h * t.W * K), 0), weight(size_t(t.h * t.W), 0);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (const int64_t x : columns) {
      const std::vector<float> p = tile(rows[r], x);
      for (int64_t i = 0; i < t.h; ++i)
        for (int64_t j = 0; j < t.w; ++j) {
          const float share = down[size_t(i)] * across[size_t(j)];
          const int64_t at = i * t.W + x + j;
          weight[size_t(at)] += share;
          for (int64_t k = 0; k < K; ++k) sum[size_t(at * K + k)] += share * p[size_t((i * t.w + j) * K + k)];
        }
    }
    const int64_t done = (r + 1 < rows.size() ? rows[r + 1] : t.H) - rows[r];  // no later tile covers these
    for (int64_t at = 0; at < done * t.W; ++at)
      for (int64_t k = 0; k < K; ++k) sum[size_t(at * K + k)] /= weight[size_t(at)];
    give(rows[r], done, std::span<const float>(sum).first(size_t(done * t.W * K)));
    std::copy(sum.begin() + done * t.W * K, sum.end(), sum.begin());
    std::fill(sum.end() - done * t.W * K, sum.end(), 0.0f);
    std::copy(weight.begin() + done * t.W, weight.end(), weight.begin());
    std::fill(weight.end() - done * t.W, weight.end(), 0.0f);
  }
}

std::vector<float> probabilities_of(const AnyModule& network, std::span<const float> x, int64_t h, int64_t w, int64_t K,
                                    std::span<const Mirrored> passes) {
  internal_check(h >= 1 && w >= 1 && !passes.empty() && int64_t(x.size()) % (h * w) == 0, "an input of h x w");
  const NoGrad off;
  network.set_training(false);
  std::vector<float> sum = pass(network, x, h, w, K, passes[0]);
  for (size_t m = 1; m < passes.size(); ++m) {
    const std::vector<float> p = pass(network, x, h, w, K, passes[m]);
    for (size_t i = 0; i < p.size(); ++i) sum[i] += p[i];
  }
  for (float& v : sum) v /= float(passes.size());
  return sum;
}

void give_scaled(std::span<const float> p, int64_t h, int64_t w, int64_t H, int64_t W, int64_t K,
                 const RowsOfProbabilities& give) {
  struct Place {
    int64_t low, high;
    float f;
  };
  auto place = [](int64_t i, int64_t from, int64_t to) {
    const double at = std::clamp((double(i) + 0.5) * double(from) / double(to) - 0.5, 0.0, double(from - 1));
    const auto low = int64_t(at);
    return Place{low, std::min(low + 1, from - 1), float(at - double(low))};
  };
  std::vector<Place> columns;
  for (int64_t x = 0; x < W; ++x) columns.push_back(place(x, w, W));
  std::vector<float> row(size_t(W * K));
  for (int64_t y = 0; y < H; ++y) {
    const Place r = place(y, h, H);
    for (int64_t x = 0; x < W; ++x) {
      const Place& c = columns[size_t(x)];
      for (int64_t k = 0; k < K; ++k) {
        auto at = [&](int64_t i, int64_t j) { return p[size_t((i * w + j) * K + k)]; };
        const float top = at(r.low, c.low) + c.f * (at(r.low, c.high) - at(r.low, c.low));
        const float bottom = at(r.high, c.low) + c.f * (at(r.high, c.high) - at(r.high, c.low));
        row[size_t(x * K + k)] = top + r.f * (bottom - top);
      }
    }
    give(y, 1, row);
  }
}

}  // namespace kern::training
