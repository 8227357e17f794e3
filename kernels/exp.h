// exp: y = e^x, 0 below e^-86.5.  dx = dy y.
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Exp {
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return exponential(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return y;
  }
  bool operator==(const Exp&) const = default;
};
using ExpSpec = UnarySpec<Exp>;
using ExpRow = UnaryRow<Exp>;
const Table<ExpRow>& exp_table();

}  // namespace kern::kernels
