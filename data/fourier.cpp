#include "data/fourier.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/common/error.h"

namespace kern::data {

void fourier_transform(std::span<std::complex<double>> x) {
  const size_t n = x.size();
  internal_check(std::has_single_bit(n), "a Fourier transform of ", n, " values");
  for (size_t i = 1, j = 0; i < n; ++i) {  // bit-reversed order
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  std::vector<std::complex<double>> turn(n / 2);
  for (size_t k = 0; k < turn.size(); ++k) turn[k] = std::polar(1.0, -2 * std::numbers::pi * double(k) / double(n));
  for (size_t half = 1; half < n; half *= 2)
    for (size_t from = 0; from < n; from += 2 * half)
      for (size_t k = 0; k < half; ++k) {
        const std::complex<double> a = x[from + k], b = x[from + half + k] * turn[k * (n / (2 * half))];
        x[from + k] = a + b, x[from + half + k] = a - b;
      }
}

PowerSpectrum::PowerSpectrum(int64_t window)
    : window_(window), taper_(size_t(window)), power_(size_t(window / 2 + 1)), part_(size_t(window)) {
  for (int64_t i = 0; i < window; ++i)
    taper_[size_t(i)] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (double(i) + 0.5) / double(window));
}

void PowerSpectrum::add(std::span<const float> signal) {
  const auto n = int64_t(signal.size());
  for (int64_t from = 0; from == 0 || from + window_ <= n; from += window_ / 2) {
    const int64_t length = std::min(window_, n);
    double mean = 0;
    for (int64_t i = 0; i < length; ++i) mean += double(signal[size_t(from + i)]);
    mean /= double(std::max<int64_t>(length, 1));
    for (int64_t i = 0; i < window_; ++i)
      part_[size_t(i)] = i < length ? taper_[size_t(i)] * (double(signal[size_t(from + i)]) - mean) : 0.0;
    fourier_transform(part_);
    for (size_t k = 0; k < power_.size(); ++k) power_[k] += std::norm(part_[k]);
    ++parts_;
    if (window_ < 2) break;
  }
}

std::vector<double> PowerSpectrum::mean() const {
  std::vector<double> mean = power_;
  for (double& p : mean) p /= double(std::max<int64_t>(parts_, 1));
  return mean;
}

}  // namespace kern::data
