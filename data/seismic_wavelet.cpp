#include "data/seismic_wavelet.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kern::data {

std::vector<float> ricker_wavelet(double frequency, double interval) {
  const double period = 1e6 / (frequency * interval);  // in samples
  const auto half = int64_t(std::ceil(1.1 * period));
  std::vector<float> w(size_t(2 * half + 1));
  for (int64_t i = -half; i <= half; ++i) {
    const double a = std::numbers::pi * double(i) / period;
    w[size_t(i + half)] = float((1 - 2 * a * a) * std::exp(-a * a));
  }
  return w;
}

std::vector<float> wavelet_of(const WaveletShape& shape, int64_t half) {
  constexpr int kFrequencies = 256;
  const auto* c = shape.corners;
  const auto spectrum = [&](double f) {  // of the frequency of the period
    if (c[3] == 0) return f * f * std::exp(1 - f * f);
    return std::clamp(std::min((f - c[0]) / (c[1] - c[0]), (c[3] - f) / (c[3] - c[2])), 0.0, 1.0);
  };
  std::vector<double> w(size_t(2 * half + 1), 0.0);
  double sum = 0;
  for (int k = 0; k < kFrequencies; ++k) {
    const double f = (k + 0.5) * 0.5 / kFrequencies, a = spectrum(f * shape.period);  // cycles per sample
    if (a == 0) continue;
    sum += a;
    for (int64_t i = -half; i <= half; ++i)
      w[size_t(i + half)] += a * std::cos(2 * std::numbers::pi * f * double(i) + shape.phase);
  }
  std::vector<float> out;
  for (int64_t i = -half; i <= half; ++i) {
    const double end = double(std::abs(i)) / double(half + 1), fade = std::clamp(2 * (1 - end), 0.0, 1.0);
    out.push_back(float(w[size_t(i + half)] / std::max(sum, 1e-12) * 0.5 * (1 - std::cos(std::numbers::pi * fade))));
  }
  return out;
}

Wavelets::Wavelets(const SyntheticSeismic& o, RandomSequence& random) {
  const double frequency = draw(random, o.frequency), period = draw_log(random, o.period);
  top_.period = o.frequency.high > 0 ? 1e6 / (frequency * o.interval) : period;
  const double low = random.uniform(0.6, 0.8), high = random.uniform(1.2, 1.6), begin = low * random.uniform(0.3, 0.6),
               end = high * random.uniform(1.3, 1.7);
  if (chance(random, o.ormsby))
    top_.corners[0] = begin, top_.corners[1] = low, top_.corners[2] = high, top_.corners[3] = end;
  top_.phase = draw(random, o.phase) * std::numbers::pi / 180;
  WaveletShape bottom = top_;
  bottom.period *= 1 + draw(random, o.absorption);
  two_ = bottom.period != top_.period;
  half_ = int64_t(std::ceil(1.5 * bottom.period)) + 1;
  wavelets_[0] = wavelet_of(top_, half_);
  wavelets_[1] = wavelet_of(bottom, half_);
}

void convolve(const float* in, const std::vector<float>& wavelet, float* out, int64_t n) {
  const float* w = wavelet.data();
  const size_t taps = wavelet.size();
  vectorised([=] {
    for (int64_t i = 0; i < n; ++i) out[i] = 0;
    for (size_t k = 0; k < taps; ++k) {
      const float tap = w[k];
      const float* from = in + k;
      for (int64_t i = 0; i < n; ++i) out[i] += tap * from[i];
    }
  });
}

void Wavelets::convolve(const float* reflectivity, float* out, int64_t n) {
  data::convolve(reflectivity, wavelets_[0], out, n);
  if (!two_) return;
  deep_.resize(size_t(n));
  data::convolve(reflectivity, wavelets_[1], deep_.data(), n);
  for (int64_t i = 0; i < n; ++i) out[i] += float(i) / float(n) * (deep_[size_t(i)] - out[i]);
}

}  // namespace kern::data
