// relu6: y = min(max(x, 0), 6).  dx = dy where 0 < y < 6, else 0.
#pragma once
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Relu6 {
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) <= 0 ? T(0) : real_part(x) >= 6 ? T(6) : x;  // a NaN stays one
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) <= 0 || real_part(y) >= 6 ? T(0) : T(1);
  }
  bool operator==(const Relu6&) const = default;
};
using Relu6Spec = UnarySpec<Relu6>;
using Relu6Row = UnaryRow<Relu6>;
const Table<Relu6Row>& relu6_table();

}  // namespace kern::kernels
