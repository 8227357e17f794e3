// elu (Clevert et al. 2016): y = x where x > 0, else alpha (exp(x) - 1), alpha >= 0.
// dx = dy where y > 0, else dy (y + alpha).
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Elu {
  static constexpr Saves kSaves = Saves::output;
  float alpha = 1;
  template <Scalar T>
  constexpr T forward(T x) const {
    return real_part(x) > 0 ? x : T(alpha) * exponential_minus_one(x);
  }
  template <Scalar T>
  constexpr T derivative(T y) const {
    return real_part(y) > 0 ? T(1) : y + T(alpha);
  }
  bool operator==(const Elu&) const = default;
};
using EluSpec = UnarySpec<Elu>;
using EluRow = UnaryRow<Elu>;
const Table<EluRow>& elu_table();

}  // namespace kern::kernels
