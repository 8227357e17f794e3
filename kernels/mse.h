// mse: L = 1/n sum (x[i,c] - t[i,c])^2 over all n = rows C values.
// Backward: dx = dL 2/n (x - t); dt is the same with x and t exchanged.
// Layouts: x, t, dx [rows, C]; loss, dy [1]. pitch.x is x's, pitch.y is t's.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct MseSpec {
  int64_t rows = 0, c = 1;
  Pitches pitch;
  constexpr int64_t size() const { return rows * c; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t t_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  // The spec by which backward gives dt when it is called with t for x and x for t.
  constexpr MseSpec exchanged() const {
    return {.rows = rows, .c = c, .pitch = {.x = pitch.y, .y = pitch.x, .dx = pitch.dx}};
  }
  bool operator==(const MseSpec&) const = default;
};

template <Scalar T>
void mse_forward_reference(const MseSpec& g, const T* x, const T* t, T* loss) {
  T sum = 0;
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const T d = x[i * g.x_pitch() + c] - t[i * g.t_pitch() + c];
      sum += d * d;
    }
  *loss = sum / T(double(g.size()));
}
template <Scalar T>
void mse_backward_reference(const MseSpec& g, const T* dy, const T* x, const T* t, T* dx) {
  for (int64_t i = 0; i < g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c)
      dx[i * g.dx_pitch() + c] = *dy * T(2 / double(g.size())) * (x[i * g.x_pitch() + c] - t[i * g.t_pitch() + c]);
}

struct MseRow {
  const char* name;
  Device device;
  bool (*supports)(const MseSpec&);
  size_t (*workspace)(const MseSpec&);  // of forward
  void (*forward)(const Exec&, const MseSpec&, const float* x, const float* t, float* loss);
  void (*backward)(const Exec&, const MseSpec&, const float* dy, const float* x, const float* t, float* dx);
};
const Table<MseRow>& mse_table();

}  // namespace kern::kernels
