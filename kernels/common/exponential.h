// e^x and e^x - 1 in single precision as plain arithmetic, so that loops over them vectorise: 2^n e^r with n = round(x
// / ln 2) and a polynomial in r, |r| <= ln(2)/2 (Cephes). exponential: within 2 units in the last place; below e^-86.5
// (2.7e-38) it is 0, above e^88.72 infinity. exponential_minus_one: within 3 units, near 0 too.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/common/isa.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

namespace detail {
inline constexpr float kLowestExponent = -86.5f;
struct Exponential {
  float minus_one, half_power;  // e^x = 2 half_power (1 + minus_one): n reaches 128, whose power no float holds
};
KERN_INLINE Exponential exponential_parts(float x) {
  constexpr float kLowest = kLowestExponent, kHighest = 88.8f,
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
  const uint32_t power = (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRound) + 126u) << 23;
  return {p * (r * r) + r, std::bit_cast<float>(power)};
}
}  // namespace detail

KERN_INLINE float exponential(float x) {
  const auto [minus_one, half_power] = detail::exponential_parts(x);
  const float e = (minus_one + 1.0f) * half_power * 2.0f;
  return x < detail::kLowestExponent ? 0.0f : e;
}
inline double exponential(double x) { return std::exp(x); }
inline std::complex<double> exponential(const std::complex<double>& x) { return std::exp(x); }

KERN_INLINE float exponential_minus_one(float x) {
  const auto [minus_one, half_power] = detail::exponential_parts(x);
  return (minus_one * half_power + (half_power - 0.5f)) * 2.0f;
}
inline double exponential_minus_one(double x) { return std::expm1(x); }
inline std::complex<double> exponential_minus_one(const std::complex<double>& x) {
  return {std::expm1(x.real()), x.imag() * std::exp(x.real())};  // exact for the complex step's imaginary parts
}

}  // namespace kern::kernels
