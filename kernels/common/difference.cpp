#include "kernels/common/difference.h"

#include <cmath>

namespace kern::kernels {
namespace {

// The greater one; a NaN is greater than any number.
float greater(float a, float b) { return a > b || a != a ? a : b; }

}  // namespace

template <class T>
Difference largest_difference(const RowsOfValues<T>& a, const RowsOfValues<T>& b) {
  Difference out;
  for (int64_t row = 0; row < a.rows; ++row)
    for (int64_t i = 0; i < a.c; ++i) {
      const float x = float(a.p[row * a.pitch + i]), y = float(b.p[row * b.pitch + i]);
      out.largest = greater(out.largest, std::abs(x - y));
      out.scale = greater(out.scale, std::abs(y));
    }
  return out;
}
template Difference largest_difference(const RowsOfValues<float>&, const RowsOfValues<float>&);
template Difference largest_difference(const RowsOfValues<Bf16>&, const RowsOfValues<Bf16>&);

Difference fold(const Difference* parts, int count) {
  Difference out;
  for (int i = 0; i < count; ++i) {
    out.largest = greater(out.largest, parts[i].largest);
    out.scale = greater(out.scale, parts[i].scale);
  }
  return out;
}

}  // namespace kern::kernels
