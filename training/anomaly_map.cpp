#include "training/anomaly_map.h"

#include <algorithm>
#include <cmath>

#include "engine/statistics.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

// Where the middle of each of `to` pixels falls among `from` positions.
struct Between {
  int64_t low, high;
  float share;  // of the high one
};
std::vector<Between> places(int64_t from, int64_t to) {
  std::vector<Between> out;
  for (int64_t i = 0; i < to; ++i) {
    const double at = std::clamp((double(i) + 0.5) * double(from) / double(to) - 0.5, 0.0, double(from - 1));
    const auto low = int64_t(at);
    out.push_back({low, std::min(low + 1, from - 1), float(at - double(low))});
  }
  return out;
}

// Along rows of `length` values that lie `step` apart.
void smooth(std::vector<float>& v, int64_t rows, int64_t length, int64_t row_step, int64_t step,
            const std::vector<float>& taps) {
  const auto reach = int64_t(taps.size()) - 1;
  std::vector<float> row(static_cast<size_t>(length));
  for (int64_t r = 0; r < rows; ++r) {
    float* at = v.data() + r * row_step;
    for (int64_t i = 0; i < length; ++i) row[size_t(i)] = at[i * step];
    auto mirrored = [&](int64_t i) {
      const int64_t period = 2 * length;
      i = ((i % period) + period) % period;
      return row[size_t(i < length ? i : period - 1 - i)];
    };
    for (int64_t i = 0; i < length; ++i) {
      float sum = taps[0] * row[size_t(i)];
      for (int64_t k = 1; k <= reach; ++k) sum += taps[size_t(k)] * (mirrored(i - k) + mirrored(i + k));
      at[i * step] = sum;
    }
  }
}

}  // namespace

std::vector<float> anomaly_map(std::span<const float> values, int64_t h, int64_t w, int64_t H, int64_t W,
                               double deviation) {
  check(h >= 1 && w >= 1 && H >= 1 && W >= 1 && int64_t(values.size()) == h * w && deviation >= 0, "an anomaly map of ",
        H, "x", W, " is made of ", h, "x", w, " values and smoothed by 0 or more, got ", values.size(), " values and ",
        deviation);
  const std::vector<Between> rows = places(h, H), columns = places(w, W);
  std::vector<float> out;
  out.reserve(size_t(H * W));
  for (const Between& r : rows)
    for (const Between& c : columns) {
      auto value = [&](int64_t y, int64_t x) { return values[size_t(y * w + x)]; };
      const float top = value(r.low, c.low) + c.share * (value(r.low, c.high) - value(r.low, c.low)),
                  bottom = value(r.high, c.low) + c.share * (value(r.high, c.high) - value(r.high, c.low));
      out.push_back(top + r.share * (bottom - top));
    }
  if (deviation == 0) return out;
  std::vector<float> taps;
  double sum = 0;
  for (int64_t k = 0; k <= int64_t(4 * deviation + 0.5); ++k) {
    taps.push_back(float(std::exp(-0.5 * std::pow(double(k) / deviation, 2))));
    sum += (k == 0 ? 1 : 2) * double(taps.back());
  }
  for (float& t : taps) t = float(t / sum);
  smooth(out, H, W, W, 1, taps);
  smooth(out, W, H, 1, W, taps);
  return out;
}

std::vector<size_t> likely_anomalies(std::span<const double> scores, double deviations) {
  std::vector<size_t> out;
  if (scores.size() < 10) return out;
  std::vector<double> off(scores.begin(), scores.end());
  const double middle = median_high(off);
  for (double& v : off) v = std::abs(v - middle);
  const double limit = middle + deviations * kDeviationPerMad * median_high(off);
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > limit) out.push_back(i);
  std::stable_sort(out.begin(), out.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return out;
}

}  // namespace kern::training
