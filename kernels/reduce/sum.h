// sum: y = scale * sum of all x[i,c]; scale 1 is the sum, 1 / (rows C) the mean.
// Backward: dx[i,c] = scale * dy.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

// x, dx [rows, C]; y, dy [1].
struct SumSpec {
  int64_t rows = 0, c = 1;
  double scale = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  bool operator==(const SumSpec&) const = default;
};

template <Scalar T>
void sum_forward_reference(const SumSpec& g, const T* x, T* y) {
  T sum = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) sum += x[i * g.x_pitch() + c];
  *y = sum * T(g.scale);
}
template <Scalar T>
void sum_backward_reference(const SumSpec& g, const T* dy, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = *dy * T(g.scale);
}

struct SumImpl {
  const char* name;
  Device device;
  bool (*supports)(const SumSpec&);
  size_t (*workspace)(const SumSpec&);  // of forward
  void (*forward)(const Exec&, const SumSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const SumSpec&, const float* dy, float* dx);
};
const Registry<SumImpl>& sum_registry();
SumImpl sum_cuda_impl();  // sum.cu

}  // namespace kern::kernels
