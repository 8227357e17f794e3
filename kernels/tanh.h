// tanh: y = tanh(x).  dx = dy (1 - y^2).
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Tanh {
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return hyperbolic_tangent(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return T(1) - y * y;
  }
  bool operator==(const Tanh&) const = default;
};
using TanhSpec = UnarySpec<Tanh>;
using TanhRow = UnaryRow<Tanh>;
const Table<TanhRow>& tanh_table();

}  // namespace kern::kernels
