// prelu (He et al. 2015), with one slope per channel, or one shared by all:
//   y[i,c] = x[i,c] where x > 0, else slope[c] * x[i,c]
// Backward:
//   dx[i,c]   = dy[i,c] where x > 0, else slope[c] * dy[i,c]
//   dslope[c] = sum_{i: not x > 0} x[i,c] * dy[i,c]  (over c too where the slope is shared)
// Layouts: x, y, dx, dy [rows, C]; slope, dslope [slopes], slopes = 1 or C.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

struct PreluSpec {
  int64_t rows = 0, c = 1, slopes = 1;
  Pitches pitch;
  constexpr int64_t slope_of(int64_t channel) const { return slopes == 1 ? 0 : channel; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const PreluSpec&) const = default;
};

template <Scalar T>
void prelu_forward_reference(const PreluSpec& g, const T* x, const T* slope, T* y) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T v = x[i * g.x_pitch() + c];
      y[i * g.y_pitch() + c] = real_part(v) > 0 ? v : slope[g.slope_of(c)] * v;
    }
}
// dx or dslope may be null where nobody needs it.
template <Scalar T>
void prelu_backward_reference(const PreluSpec& g, const T* dy, const T* x, const T* slope, T* dx, T* dslope) {
  if (dslope)
    for (int64_t k = 0; k < g.slopes; ++k) dslope[k] = T(0);
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T v = x[i * g.x_pitch() + c], d = dy[i * g.dy_pitch() + c];
      const bool positive = real_part(v) > 0;
      if (dx) dx[i * g.dx_pitch() + c] = positive ? d : slope[g.slope_of(c)] * d;
      if (dslope && !positive) dslope[g.slope_of(c)] += v * d;
    }
}

struct PreluImpl {
  const char* name;
  Device device;
  bool (*supports)(const PreluSpec&);
  size_t (*workspace)(const PreluSpec&);
  void (*forward)(const Exec&, const PreluSpec&, const float* x, const float* slope, float* y);
  // Both gradients in one pass; either may be null.
  void (*backward)(const Exec&, const PreluSpec&, const float* dy, const float* x, const float* slope, float* dx,
                   float* dslope);
};
const Registry<PreluImpl>& prelu_registry();
template <Isa isa>
PreluImpl prelu_simd_impl();  // prelu_simd.cpp
PreluImpl prelu_cuda_impl();  // prelu.cu

}  // namespace kern::kernels
