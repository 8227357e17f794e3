// log: y = log(x), the natural one; minus infinity at 0, NaN below.  dx = dy / x.
#pragma once
#include "kernels/common/elementary.h"
#include "kernels/common/unary.h"

namespace kern::kernels {

struct Log {
  static constexpr Saves kSaves = Saves::input;
  template <Scalar T>
  constexpr T forward(T x) const {
    return logarithm(x);
  }
  template <Scalar T>
  constexpr T derivative(T x) const {
    return T(1) / x;
  }
  bool operator==(const Log&) const = default;
};
using LogSpec = UnarySpec<Log>;
using LogRow = UnaryRow<Log>;
const Table<LogRow>& log_table();

}  // namespace kern::kernels
