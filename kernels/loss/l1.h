// l1: L = 1/n sum |d| over all n = rows C values of d = x - t.
// Backward: dx = dL/n sign(d), 0 where d = 0; dt = -dx.
#pragma once
#include "kernels/loss/pair_loss.h"

namespace kern::kernels {

struct L1 {
  static constexpr const char* kName = "l1";
  template <Scalar T>
  constexpr T value(T d) const {
    return real_part(d) < 0 ? -d : d;
  }
  template <Scalar T>
  constexpr T derivative(T d) const {
    return real_part(d) > 0 ? T(1) : real_part(d) < 0 ? T(-1) : d;  // 0 at 0, and a NaN stays one
  }
  bool operator==(const L1&) const = default;
};
using L1Spec = PairLossSpec<L1>;

}  // namespace kern::kernels
