// relu: y = max(x, 0).  dx = dy where y > 0, else 0.
#pragma once
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Relu {
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= 0 ? T(0) : x;  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) <= 0 ? T(0) : T(1);
  }
  bool operator==(const Relu&) const = default;
};
using ReluSpec = UnarySpec<Relu>;
using ReluRow = UnaryRow<Relu>;
const Table<ReluRow>& relu_table();

}  // namespace kern::kernels
