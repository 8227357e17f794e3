// hardswish: y = x min(max(x + 3, 0), 6) / 6.  dx = dy (x/3 + 1/2) where -3 < x < 3, dy where x >= 3, else 0.
// Source: Howard et al. 2019 (MobileNetV3).
#pragma once
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Hardswish {
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= -3 ? T(0) : real_part(x) >= 3 ? x : x * (x + T(3)) * T(1.0 / 6);  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return real_part(x) <= -3 ? T(0) : real_part(x) >= 3 ? T(1) : x * T(1.0 / 3) + T(0.5);
  }
  bool operator==(const Hardswish&) const = default;
};
using HardswishSpec = UnarySpec<Hardswish>;
using HardswishRow = UnaryRow<Hardswish>;
const Table<HardswishRow>& hardswish_table();

}  // namespace kern::kernels
