// sigmoid: y = 1 / (1 + exp(-x)).  dx = dy y (1 - y).
#pragma once
#include "kernels/common/exponential.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Sigmoid {
  static constexpr Saves kSaves = Saves::output;
  template <Scalar T>
  constexpr T forward(T x) const {
    return T(1) / (T(1) + exponential(-x));
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return y * (T(1) - y);
  }
  bool operator==(const Sigmoid&) const = default;
};
using SigmoidSpec = UnarySpec<Sigmoid>;
using SigmoidRow = UnaryRow<Sigmoid>;
const Table<SigmoidRow>& sigmoid_table();

}  // namespace kern::kernels
