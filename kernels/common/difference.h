// How far two arrays lie apart: max |a - b|, and max |b| to hold it against. Compares implementations with one another
// (engine/tuner.h), where the arrays are, so that a GPU's need not come to the host.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/device.h"

namespace kern::kernels {

// Rows of c values, dense or `pitch` apart.
template <class T>  // float or Bf16
struct RowsOfValues {
  const T* p;
  int64_t rows, c, pitch;
};

struct Difference {
  float largest = 0, scale = 0;  // max |a - b|, max |b|; a NaN anywhere in a or b makes `largest` one
};

// a and b of equal rows and c.
template <class T>
Difference largest_difference(const RowsOfValues<T>& a, const RowsOfValues<T>& b);

// On a GPU: parts [difference_parts(values)] there gets one for each chunk of the values; fold() of them is asked.
constexpr int difference_parts(int64_t values) {
  const int64_t wanted = (values + 2047) / 2048;
  return int(wanted < 1 ? 1 : wanted > 256 ? 256 : wanted);
}
Difference fold(const Difference* parts, int count);  // on the host
template <class T>
void largest_differences_cuda(const Exec&, const RowsOfValues<T>& a, const RowsOfValues<T>& b,
                              Difference* parts);  // difference.cu

}  // namespace kern::kernels
