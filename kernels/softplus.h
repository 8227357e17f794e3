// softplus: y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold; beta > 0.
// dx = dy / (1 + exp(-beta x)), and dy itself where beta x > threshold.
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Softplus {
  static constexpr Saves kSaves = Saves::input;
  float beta = 1, threshold = 20;
  template <Scalar T>
  constexpr T forward(T x) const {
    const T v = T(beta) * x;
    const bool positive = real_part(v) > 0;
    const T tail = logarithm_of_one_plus(exponential(positive ? -v : v));  // nothing overflows
    return real_part(v) > threshold ? x : ((positive ? v : T(0)) + tail) / T(beta);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    const T v = T(beta) * x, sigmoid = T(1) / (T(1) + exponential(-v));
    return real_part(v) > threshold ? T(1) : sigmoid;
  }
  bool operator==(const Softplus&) const = default;
};
using SoftplusSpec = UnarySpec<Softplus>;
using SoftplusRow = UnaryRow<Softplus>;
const Table<SoftplusRow>& softplus_table();

}  // namespace kern::kernels
