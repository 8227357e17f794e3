// leaky_relu: y = x where x > 0, else slope x, slope >= 0.  dx = dy where y > 0, else slope dy.
#pragma once
#include "kernels/common/unary.h"

namespace kern::kernels {

struct LeakyRelu {
  static constexpr Saves kSaves = Saves::output;  // whose sign is x's, since slope >= 0
  float slope = 0.01f;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) > 0 ? x : T(slope) * x;
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) > 0 ? T(1) : T(slope);
  }
  bool operator==(const LeakyRelu&) const = default;
};
using LeakyReluSpec = UnarySpec<LeakyRelu>;
using LeakyReluRow = UnaryRow<LeakyRelu>;
const Table<LeakyReluRow>& leaky_relu_table();

}  // namespace kern::kernels
