// silu, also called swish: y = x s, s = 1 / (1 + exp(-x)).  dx = dy s (1 + x (1 - s)).
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Silu {
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return x / (T(1) + exponential(-x));
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T s = T(1) / (T(1) + exponential(-x));
    return s * (T(1) + x * (T(1) - s));
  }
  bool operator==(const Silu&) const = default;
};
using SiluSpec = UnarySpec<Silu>;
using SiluRow = UnaryRow<Silu>;
const Table<SiluRow>& silu_table();

}  // namespace kern::kernels
