// scale: y = a x + b with constants a, b.  dx = a dy.
#pragma once
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Scale {
  static constexpr Saves kSaves = Saves::input;
  float a = 1, b = 0;
  template <Scalar T>
  constexpr T forward(T x) const {
    return T(a) * x + T(b);
  }
  template <Scalar T>
  constexpr T derivative(T) const {
    return T(a);
  }
  bool operator==(const Scale&) const = default;
};
using ScaleSpec = UnarySpec<Scale>;
using ScaleRow = UnaryRow<Scale>;
const Table<ScaleRow>& scale_table();

}  // namespace kern::kernels
