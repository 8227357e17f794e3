// max_axis: y[o,i] = max_n x[o,n,i], or with `smallest` the min; index[o,i] is the first n that has it. The first NaN
// wins over every number.
// Backward: dx[o,n,i] = dy[o,i] where n = index[o,i], else 0.
// Layouts: x, dx [outer, N, inner], N >= 1; y, dy, index [outer, inner]; all dense.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"
#include "kernels/reduce/sum_axis.h"

namespace kern::kernels {

struct MaxAxisSpec : AxisSpec {
  bool smallest = false;
  bool operator==(const MaxAxisSpec&) const = default;
};

// Whether v takes the place of `best`, which stands before it.
template <class T>
constexpr bool takes_over(T v, T best, bool smallest) {
  return best == best && (v != v || (smallest ? v < best : v > best));
}

template <Scalar T>
void max_axis_forward_reference(const MaxAxisSpec& g, const T* x, T* y, int32_t* index) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t i = 0; i < g.inner; ++i) {
      int64_t best = 0;
      const auto at = [&](int64_t n) { return x[(o * g.n + n) * g.inner + i]; };
      for (int64_t n = 1; n < g.n; ++n)
        if (takes_over(real_part(at(n)), real_part(at(best)), g.smallest)) best = n;
      y[o * g.inner + i] = at(best);
      index[o * g.inner + i] = int32_t(best);
    }
}
template <Scalar T>
void max_axis_backward_reference(const MaxAxisSpec& g, const T* dy, const int32_t* index, T* dx) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t i = 0; i < g.inner; ++i) {
        const int64_t at = o * g.inner + i;
        dx[(o * g.n + n) * g.inner + i] = n == index[at] ? dy[at] : T(0);
      }
}

struct MaxAxisImpl {
  const char* name;
  Device device;
  bool (*supports)(const MaxAxisSpec&);
  void (*forward)(const Exec&, const MaxAxisSpec&, const float* x, float* y, int32_t* index);
  void (*backward)(const Exec&, const MaxAxisSpec&, const float* dy, const int32_t* index, float* dx);
};
const Registry<MaxAxisImpl>& max_axis_registry();
MaxAxisImpl max_axis_cuda_impl();  // max_axis.cu

}  // namespace kern::kernels
