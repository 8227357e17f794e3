// mse: L = 1/n sum d^2 over all n = rows C values of d = x - t.
// Backward: dx = dL 2/n d, dt = -dx.
#pragma once
#include "kernels/loss/pair_loss.h"

namespace kern::kernels {

struct Mse {
  static constexpr const char* kName = "mse";
  template <Scalar T>
  constexpr T value(T d) const {
    return d * d;
  }
  template <Scalar T>
  constexpr T derivative(T d) const {
    return T(2) * d;
  }
  bool operator==(const Mse&) const = default;
};
using MseSpec = PairLossSpec<Mse>;

}  // namespace kern::kernels
