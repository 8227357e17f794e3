// global_avg_pool: y[n,c] = (1/L) sum_l x[n,l,c].  Backward: dx[n,l,c] = dy[n,c] / L.
// Layouts: x, dx [N,L,C], L = all positions of a sample (an image's H W); y, dy [N,C].
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct GlobalAvgPoolSpec {
  int64_t n = 0, l = 1, c = 1;  // l >= 1
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const GlobalAvgPoolSpec&) const = default;
};

template <Scalar T>
void global_avg_pool_forward_reference(const GlobalAvgPoolSpec& g, const T* x, T* y) {
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t c = 0; c < g.c; ++c) {
      T sum(0);
      for (int64_t i = n * g.l; i < (n + 1) * g.l; ++i) sum += x[i * g.x_pitch() + c];
      y[n * g.y_pitch() + c] = sum / T(float(g.l));
    }
}
template <Scalar T>
void global_avg_pool_backward_reference(const GlobalAvgPoolSpec& g, const T* dy, T* dx) {
  for (int64_t i = 0; i < g.n * g.l; ++i)
    for (int64_t c = 0; c < g.c; ++c) dx[i * g.dx_pitch() + c] = dy[i / g.l * g.dy_pitch() + c] / T(float(g.l));
}

struct GlobalAvgPoolImpl {
  const char* name;
  Device device;
  bool (*supports)(const GlobalAvgPoolSpec&);
  size_t (*workspace)(const GlobalAvgPoolSpec&);  // of forward
  void (*forward)(const Exec&, const GlobalAvgPoolSpec&, const float* x, float* y);
  void (*backward)(const Exec&, const GlobalAvgPoolSpec&, const float* dy, float* dx);
};
GlobalAvgPoolImpl global_avg_pool_cuda_impl();  // global_avg_pool.cu
const Registry<GlobalAvgPoolImpl>& global_avg_pool_registry();

}  // namespace kern::kernels
