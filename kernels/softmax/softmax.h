// softmax over channels: y[i,c] = exp(x[i,c] - m[i]) / sum_k exp(x[i,k] - m[i]),  m[i] = max_k x[i,k].
// Backward: dx[i,c] = y[i,c] (dy[i,c] - sum_k y[i,k] dy[i,k])
// Layouts: x, y, dx, dy [rows, C].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

struct SoftmaxSpec {
  int64_t rows = 0, c = 1;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const SoftmaxSpec&) const = default;
};

// The largest of a row's values, by its real part.
template <Scalar T>
T row_maximum(const T* row, int64_t c) {
  T m = row[0];
  for (int64_t j = 1; j < c; ++j)
    if (real_part(row[j]) > real_part(m)) m = row[j];
  return m;
}

template <Scalar T>
void softmax_forward_reference(const SoftmaxSpec& g, const T* x, T* y) {
  for (int64_t i = 0; i < g.rows && g.c > 0; ++i) {
    const T* from = x + i * g.x_pitch();
    T* to = y + i * g.y_pitch();
    const T m = row_maximum(from, g.c);
    T sum(0);
    for (int64_t c = 0; c < g.c; ++c) sum += to[c] = std::exp(from[c] - m);
    for (int64_t c = 0; c < g.c; ++c) to[c] /= sum;
  }
}
template <Scalar T>
void softmax_backward_reference(const SoftmaxSpec& g, const T* dy, const T* y, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i) {
    T dot(0);
    for (int64_t c = 0; c < g.c; ++c) dot += y[i * g.y_pitch() + c] * dy[i * g.dy_pitch() + c];
    for (int64_t c = 0; c < g.c; ++c)
      dx[i * g.dx_pitch() + c] = y[i * g.y_pitch() + c] * (dy[i * g.dy_pitch() + c] - dot);
  }
}

struct SoftmaxImpl {
  const char* name;
  Device device;
  bool (*supports)(const SoftmaxSpec&);
  void (*forward)(const Exec&, const SoftmaxSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const SoftmaxSpec&, const float* dy, const float* y, float* dx);
};
const Registry<SoftmaxImpl>& softmax_registry();
SoftmaxImpl softmax_cuda_impl();  // softmax.cu
template <Isa isa>
SoftmaxImpl softmax_simd_impl();  // softmax_simd.cpp

}  // namespace kern::kernels
