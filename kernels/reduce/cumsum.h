// cumsum: y[o,n,i] = sum_{m <= n} x[o,m,i], or with `reverse` of m >= n. Sums are kept in double.
// Backward: dx is cumsum of dy in the other direction.
// Layouts: x, y [outer, N, inner], dense.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/reduce/sum_axis.h"

namespace kern::kernels {

struct CumsumSpec : AxisSpec {
  bool reverse = false;
  bool operator==(const CumsumSpec&) const = default;
};

template <Scalar T>
void cumsum_reference(const CumsumSpec& g, const T* x, T* y) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t i = 0; i < g.inner; ++i) {
      T sum(0);
      for (int64_t k = 0; k < g.n; ++k) {
        const int64_t at = (o * g.n + (g.reverse ? g.n - 1 - k : k)) * g.inner + i;
        y[at] = sum += x[at];
      }
    }
}

struct CumsumImpl {
  const char* name;
  Device device;
  bool (*supports)(const CumsumSpec&);
  void (*forward)(const Exec&, const CumsumSpec&, const float* x, float* y);
};
const Registry<CumsumImpl>& cumsum_registry();
CumsumImpl cumsum_cuda_impl();  // cumsum.cu

}  // namespace kern::kernels
