// What a reference is templated on: float to compare, double to evaluate, complex<double> for exact derivatives by the
// complex step (Squire and Trapp 1998): f'(x) = Im f(x + ih) / h without subtraction, so h = 2^-160 loses nothing.
#pragma once
#include <cmath>
#include <complex>
#include <concepts>

namespace kern::kernels {

template <class T>
concept Scalar = std::floating_point<T> || std::same_as<T, std::complex<double>>;

// Comparisons look at the real part: a branch is the same for a number and its infinitesimal neighbour.
constexpr float real_part(float v) { return v; }
constexpr double real_part(double v) { return v; }
inline double real_part(const std::complex<double>& v) { return v.real(); }

}  // namespace kern::kernels
