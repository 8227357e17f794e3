// sum_axis: y[o,i] = scale * sum_n x[o,n,i]; scale 1 is the sum over an axis, 1 / N the mean. Sums are kept in double, on a
// GPU those of a long axis after every 8 values.
// Backward: dx[o,n,i] = scale * dy[o,i].
// Layouts: x, dx [outer, N, inner]; y, dy [outer, inner]; all dense.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct AxisSpec {
  int64_t outer = 1, n = 0, inner = 1;
  constexpr int64_t x_size() const { return outer * n * inner; }
  constexpr int64_t y_size() const { return outer * inner; }
  bool operator==(const AxisSpec&) const = default;
};
struct SumAxisSpec : AxisSpec {
  double scale = 1;
  bool operator==(const SumAxisSpec&) const = default;
};

template <Scalar T>
void sum_axis_forward_reference(const SumAxisSpec& g, const T* x, T* y) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t i = 0; i < g.inner; ++i) {
      T sum(0);
      for (int64_t n = 0; n < g.n; ++n) sum += x[(o * g.n + n) * g.inner + i];
      y[o * g.inner + i] = sum * T(g.scale);
    }
}
template <Scalar T>
void sum_axis_backward_reference(const SumAxisSpec& g, const T* dy, T* dx) {
  for (int64_t o = 0; o < g.outer; ++o)
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t i = 0; i < g.inner; ++i) dx[(o * g.n + n) * g.inner + i] = dy[o * g.inner + i] * T(g.scale);
}

struct SumAxisImpl {
  const char* name;
  Device device;
  bool (*supports)(const SumAxisSpec&);
  size_t (*workspace)(const SumAxisSpec&);  // of forward
  void (*forward)(const Exec&, const SumAxisSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const SumAxisSpec&, const float* dy, float* dx);
};
const Registry<SumAxisImpl>& sum_axis_registry();
SumAxisImpl sum_axis_cuda_impl();  // sum_axis.cu

}  // namespace kern::kernels
