// huber (Huber 1964), as torch's huber_loss: L = 1/n sum f(d) over all n = rows C values of d = x - t, delta > 0,
//   f(d) = d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)
// Backward: dx = dL/n clamp(d, -delta, delta), dt = -dx. With beta = delta, torch's smooth_l1_loss is L / delta.
#pragma once
#include "kernels/loss/pair_loss.h"

namespace kern::kernels {

struct Huber {
  static constexpr const char* kName = "huber";
  float delta = 1;
  template <Scalar T>
  constexpr T value(T d) const {
    const T size = real_part(d) < 0 ? -d : d, most = real_part(size) > delta ? T(delta) : size;
    return most * (size - T(0.5) * most);
  }
  template <Scalar T>
  constexpr T derivative(T d) const {
    const T above = real_part(d) < -delta ? T(-delta) : d;
    return real_part(above) > delta ? T(delta) : above;
  }
  bool operator==(const Huber&) const = default;
};
using HuberSpec = PairLossSpec<Huber>;

}  // namespace kern::kernels
