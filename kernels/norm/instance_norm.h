// instance_norm (Ulyanov et al. 2016): each channel of each sample, normalised over its positions. With
//   m[n,c] = avg_l x[n,l,c],  d[n,c] = 1 / sqrt(avg_l (x[n,l,c] - m[n,c])^2 + eps):
//   y[n,l,c] = weight[c] z[n,l,c] + bias[c],  z[n,l,c] = (x[n,l,c] - m[n,c]) d[n,c]
// Backward:
//   dx[n,l,c]  = weight[c] d[n,c] (dy[n,l,c] - avg_l dy - z[n,l,c] avg_l (dy z))
//   dweight[c] = sum_{n,l} dy[n,l,c] z[n,l,c],  dbias[c] = sum_{n,l} dy[n,l,c]
// Layouts: x, y, dx, dy [N,L,C], L = all positions of a sample (an image's H W); m, d [N,C]; the rest [C], null without
// affine part.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/norm/channel_norm.h"

namespace kern::kernels {

struct InstanceNormSpec {
  int64_t n = 0, l = 1, c = 1;
  float eps = 1e-5f;
  Pitches pitch;
  constexpr int64_t rows() const { return n * l; }
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr ChannelNorm norm() const {
    return {.groups = n,
            .rows = l,
            .c = c,
            .eps = eps,
            .x_pitch = x_pitch(),
            .y_pitch = y_pitch(),
            .dx_pitch = dx_pitch(),
            .dy_pitch = dy_pitch()};
  }
  bool operator==(const InstanceNormSpec&) const = default;
};

template <Scalar T>
void instance_norm_forward_reference(const InstanceNormSpec& g, const T* x, const T* weight, const T* bias, T* y,
                                     T* mean, T* inverse_deviation) {
  channel_moments_reference(g.norm(), x, mean, inverse_deviation);
  for (int64_t i = 0; i < g.n * g.c; ++i) inverse_deviation[i] = T(1) / std::sqrt(inverse_deviation[i] + T(g.eps));
  channel_norm_apply_reference(g.norm(), x, weight, bias, mean, inverse_deviation, y);
}
template <Scalar T>
void instance_norm_backward_reference(const InstanceNormSpec& g, const T* dy, const T* x, const T* weight,
                                      const T* mean, const T* inverse_deviation, T* dx, T* dweight, T* dbias) {
  channel_norm_backward_reference(g.norm(), dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
}

struct InstanceNormImpl {
  const char* name;
  Device device;
  bool (*supports)(const InstanceNormSpec&);
  size_t (*workspace)(const InstanceNormSpec&);
  // mean and inverse_deviation are for backward.
  void (*forward)(const Exec&, const InstanceNormSpec&, const float* x, const float* weight, const float* bias,
                  float* y, float* mean, float* inverse_deviation);
  // dx, dweight and dbias may each be null.
  void (*backward)(const Exec&, const InstanceNormSpec&, const float* dy, const float* x, const float* weight,
                   const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias);
};
const Registry<InstanceNormImpl>& instance_norm_registry();

}  // namespace kern::kernels
