// e^x in single precision as plain arithmetic, so that loops over it vectorise: 2^n e^r with n = round(x / ln 2) and a
// polynomial in r, |r| <= ln(2)/2 (Cephes). Within 2 units in the last place; below e^-86.5 (2.7e-38) it is 0, above
// e^88.72 infinity.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/common/scalar.h"

namespace kern::kernels {

inline float exponential(float x) {
  constexpr float kLowest = -86.5f, kHighest = 88.8f,
                  kRound = 12582912.0f;                                 // 1.5 * 2^23: adding it rounds to an integer
  const float v = x < kLowest ? kLowest : x > kHighest ? kHighest : x;  // a NaN stays one
  const float shifted = v * 1.44269504088896341f + kRound, n = shifted - kRound;
  const float r = v - n * 0.693359375f + n * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // 2^(n-1), then twice: n reaches 128, whose power no float holds.
  const uint32_t power = (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRound) + 126u) << 23;
  const float e = p * std::bit_cast<float>(power) * 2.0f;
  return x < kLowest ? 0.0f : e;
}
inline double exponential(double x) { return std::exp(x); }
inline std::complex<double> exponential(const std::complex<double>& x) { return std::exp(x); }

}  // namespace kern::kernels
