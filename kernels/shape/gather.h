// gather: y[o,m,i] = x[o, index[o,m,i], i]; NaN where the index lies outside of 0 .. N - 1. With `shared` the index is
// [M], the same for all o and i: rows that are picked.
// Backward: dx[o,n,i] = sum of dy[o,m,i] over all m with index[o,m,i] = n, in their order.
// Layouts: x, dx [outer, N, inner]; y, dy [outer, M, inner]; index i32 [outer, M, inner] or [M]; all dense.
#pragma once
#include <algorithm>
#include <limits>

#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct GatherSpec {
  int64_t outer = 1, n = 0, inner = 1, m = 0;
  bool shared = false;
  constexpr int64_t x_size() const { return outer * n * inner; }
  constexpr int64_t y_size() const { return outer * m * inner; }
  // Where the index of y's value [o,m,i] stands, which is value `at` of y.
  constexpr int64_t index_of(int64_t at, int64_t m_here) const { return shared ? m_here : at; }
  constexpr bool inside(int32_t index) const { return index >= 0 && index < n; }
  bool operator==(const GatherSpec&) const = default;
};

template <Scalar T>
void gather_forward_reference(const GatherSpec& g, const T* x, const int32_t* index, T* y) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t m = 0; m < g.m; ++m)
      for (int64_t i = 0; i < g.inner; ++i) {
        const int64_t at = (o * g.m + m) * g.inner + i;
        const int32_t n = index[g.index_of(at, m)];
        y[at] = g.inside(n) ? x[(o * g.n + n) * g.inner + i] : T(std::numeric_limits<float>::quiet_NaN());
      }
}
template <Scalar T>
void gather_backward_reference(const GatherSpec& g, const T* dy, const int32_t* index, T* dx) {
  std::fill_n(dx, g.x_size(), T(0));
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t m = 0; m < g.m; ++m)
      for (int64_t i = 0; i < g.inner; ++i) {
        const int64_t at = (o * g.m + m) * g.inner + i;
        const int32_t n = index[g.index_of(at, m)];
        if (g.inside(n)) dx[(o * g.n + n) * g.inner + i] += dy[at];
      }
}

struct GatherImpl {
  const char* name;
  Device device;
  bool (*supports)(const GatherSpec&);
  void (*forward)(const Exec&, const GatherSpec&, const float* x, const int32_t* index, float* y);
  void (*backward)(const Exec&, const GatherSpec&, const float* dy, const int32_t* index, float* dx);
};
const Registry<GatherImpl>& gather_registry();
GatherImpl gather_cuda_impl();  // gather.cu

}  // namespace kern::kernels
