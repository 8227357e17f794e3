// log, log(1 + x), tanh, erf and powers in single precision as plain arithmetic, so that loops over them vectorise.
// Errors in units of the last place: logarithm 2, logarithm_of_one_plus_share 2, hyperbolic_tangent 4, error_function 3,
// power (of any exponent) 2 + 2 |p log x|. For complex numbers they are exact to the first order of the imaginary part,
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

// An odd polynomial near 0, 1 - exp(polynomial in |x|) further out.
KERN_INLINE float error_function(float x) {
  const float t = std::abs(x), s = x * x;
  float near = -5.96761703e-4f;
  near = near * s + 4.99119423e-3f;
  near = near * s - 2.67681349e-2f;
  near = near * s + 1.12819925e-1f;
  near = near * s - 3.76125336e-1f;
  near = near * s + 1.28379166e-1f;
  near = near * x + x;
  const float a = t > 4.0f ? 4.0f : t;  // erf is 1 from 3.92 on
  float far = -1.72853470e-5f;
  far = far * a + 3.83197126e-4f;
  far = far * a - 3.88396438e-3f;
  far = far * a + 2.42546219e-2f;
  far = far * a - 1.06777877e-1f;
  far = far * a - 6.34846687e-1f;
  far = far * a - 1.28717512e-1f;
  far = far * a - a;
  far = std::copysign(1.0f - exponential(far), x);
  return t > 0.927734375f ? far : near;
}
inline double error_function(double x) { return std::erf(x); }
inline std::complex<double> error_function(const std::complex<double>& x) {
  constexpr double kTwoOverRootPi = 1.1283791670955126;
  return detail::first_order(std::erf(x.real()), kTwoOverRootPi * std::exp(-x.real() * x.real()), x);
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
