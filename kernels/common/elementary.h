// log, log(1 + x), tanh, the normal distribution and powers in single precision as plain arithmetic, so that loops over
// them vectorise. Errors in units of the last place: logarithm 2, logarithm_of_one_plus_share 2, hyperbolic_tangent 4,
// power (of any exponent) 2 + 2 |p log x|; of normal_distribution 2.5e-7 at most. For complex numbers they are exact to the first order of the imaginary part,
// which is all that the complex step asks.
#pragma once
#include <limits>

#include "kernels/common/exponential.h"

namespace kern::kernels {

namespace detail {
// f(x) + i f'(x) im(x)
inline std::complex<double> first_order(double value, double derivative, const std::complex<double>& x) {
  return {value, derivative * x.imag()};
}
// p in log(1 + m) = m - m^2 / 2 + m^3 p, sqrt(1/2) <= 1 + m < sqrt(2) (Cephes).
KERN_INLINE float logarithm_polynomial(float m) {
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return p;
}
}  // namespace detail

// x = 2^e m with m in [sqrt(1/2), sqrt(2)), and a polynomial in m - 1.
KERN_INLINE float logarithm(float x) {
  constexpr uint32_t kRootOfHalf = 0x3f3504f3u;
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  const bool tiny = x < 1.17549435e-38f;
  const float v = tiny ? x * 8388608.0f : x;  // 2^23: a number without leading zeros
  const uint32_t bits = std::bit_cast<uint32_t>(v) - kRootOfHalf;
  const float e = float(std::bit_cast<int32_t>(bits) >> 23) - (tiny ? 23.0f : 0.0f);
  const float m = std::bit_cast<float>((bits & 0x7fffffu) + kRootOfHalf) - 1.0f;
  const float square = m * m;
  const float y = detail::logarithm_polynomial(m) * m * square - e * 2.12194440e-4f - 0.5f * square + m +
                  e * 0.693359375f;  // ln 2 in two parts
  const float inside = x < kInfinity ? y : x, at_zero = x == 0.0f ? -kInfinity : kNan;
  return x > 0.0f ? inside : at_zero;
}
inline double logarithm(double x) { return std::log(x); }
inline std::complex<double> logarithm(const std::complex<double>& x) { return std::log(x); }

// log(1 + e) for 0 <= e <= 1, as where e = exp(-|x|): there m = e, or (1 + e) / 2 - 1, is exact or nearly so and the
// logarithm's polynomial is all that it takes.
KERN_INLINE float logarithm_of_one_plus_share(float e) {
  const bool far = e > 0.41421356f;
  const float m = far ? (e - 1.0f) * 0.5f : e;
  const float square = m * m, y = detail::logarithm_polynomial(m) * m * square - 0.5f * square + m;
  return y + (far ? 0.69314718f : 0.0f);
}
inline double logarithm_of_one_plus_share(double e) { return std::log1p(e); }
inline std::complex<double> logarithm_of_one_plus_share(const std::complex<double>& e) {
  return detail::first_order(std::log1p(e.real()), 1 / (1 + e.real()), e);
}

// tanh |x| = (e^2|x| - 1) / (e^2|x| + 1)
KERN_INLINE float hyperbolic_tangent(float x) {
  const float twice = 2.0f * std::abs(x), e = exponential_minus_one(twice > 30.0f ? 30.0f : twice);
  return std::copysign(e / (e + 2.0f), x);
}
inline double hyperbolic_tangent(double x) { return std::tanh(x); }
inline std::complex<double> hyperbolic_tangent(const std::complex<double>& x) {
  const double y = std::tanh(x.real());
  return detail::first_order(y, 1 - y * y, x);
}

// The normal distribution, (1 + erf(x / sqrt 2)) / 2, as gelu has it: 1/2 + x P(x^2) / Q(x^2), fitted to a relative error of
// 2e-8 of x P / Q up to where a float shows no more than 0 and 1.
KERN_INLINE float normal_distribution(float x) {
  const float t = std::abs(x), s = x * x;
  float p = 2.26504611e-8f, q = 1.19036713e-6f;
  p = p * s + 6.29509941e-6f;
  q = q * s + 7.26589642e-5f;
  p = p * s + 1.66419675e-4f;
  q = q * s + 1.87115965e-3f;
  p = p * s + 4.66238055e-3f;
  q = q * s + 2.85273492e-2f;
  p = p * s + 3.36595438e-2f;
  q = q * s + 2.51038343e-1f;
  p = p * s + 3.98942262e-1f;
  q = q * s + 1.0f;
  const float inside = t * p / q;
  const bool far = (t > 5.54f) | (inside > 0.5f);
  return 0.5f + std::copysign(far ? 0.5f : inside, x);
}
inline double normal_distribution(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752); }
inline std::complex<double> normal_distribution(const std::complex<double>& x) {
  constexpr double kOneOverRootTwoPi = 0.39894228040143268;
  const double real = x.real();
  return detail::first_order(normal_distribution(real), kOneOverRootTwoPi * std::exp(-0.5 * real * real), x);
}

KERN_INLINE float square_root(float x) { return std::sqrt(x); }
inline double square_root(double x) { return std::sqrt(x); }
inline std::complex<double> square_root(const std::complex<double>& x) { return std::sqrt(x); }

// x^p. Whole numbers p up to 64 by multiplication, with any x; others by exp(p log x), x >= 0.
template <class T>
KERN_INLINE T power(T x, float p) {
  const float size = p < 0 ? -p : p;
  if (size > 64 || size != float(int(size))) return exponential(T(p) * logarithm(x));
  T y(1), square = x;
  for (int n = int(size); n > 0; n /= 2, square *= square)
    if (n % 2) y *= square;
  return p < 0 ? T(1) / y : y;
}

}  // namespace kern::kernels
