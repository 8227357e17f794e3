// gelu, the exact form (Hendrycks and Gimpel 2016): y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2, the normal
// distribution.  dx = dy (Phi(x) + x phi(x)), phi(x) = exp(-x^2 / 2) / sqrt(2 pi).  gelu_tanh is the approximation.
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Gelu {
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x * normal_distribution(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return normal_distribution(x) + x * T(0.3989422804014327) * exponential(T(-0.5) * x * x);
  }
  template <Scalar T>
  static constexpr T normal_distribution(T x) {
    return T(0.5) + T(0.5) * error_function(x * T(0.7071067811865476));
  }
  bool operator==(const Gelu&) const = default;
};
using GeluSpec = UnarySpec<Gelu>;
using GeluRow = UnaryRow<Gelu>;
const Table<GeluRow>& gelu_table();

}  // namespace kern::kernels
