// gelu_tanh, gelu's approximation by tanh (Hendrycks and Gimpel 2016), torch's gelu(approximate="tanh"):
//   y = x (1 + tanh(u)) / 2 = x s,  s = 1 / (1 + exp(-2u)),  u = sqrt(2 / pi) (x + 0.044715 x^3)
//   dx = dy (s + 2 x s (1 - s) du/dx)
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct GeluTanh {
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x * gate(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T s = gate(x), slope = T(kTwoRootTwoOverPi) * (T(1) + T(3 * kCubic) * x * x);  // 2 du/dx
    return s + x * s * (T(1) - s) * slope;
  }
  static constexpr double kTwoRootTwoOverPi = 1.5957691216057308, kCubic = 0.044715;
  template <Scalar T>
  static constexpr T gate(T x) {
    return T(1) / (T(1) + exponential(T(-kTwoRootTwoOverPi) * x * (T(1) + T(kCubic) * x * x)));
  }
  bool operator==(const GeluTanh&) const = default;
};
using GeluTanhSpec = UnarySpec<GeluTanh>;
using GeluTanhRow = UnaryRow<GeluTanh>;
const Table<GeluTanhRow>& gelu_tanh_table();

}  // namespace kern::kernels
