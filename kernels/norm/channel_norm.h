// What the references of the norms share. x is `groups` groups of `rows` rows of C channels: the N samples of an
// instance norm, the one group of a batch norm. Per group and channel, with m = mean over the group's rows and
// d = 1 / sqrt(variance + eps):
//   y = (x - m) d weight + bias
// Backward, with z = (x - m) d and averages over the group's rows:
//   dx      = d weight (dy - avg(dy) - z avg(dy z));  with statistics that are given and not computed ("frozen"): d weight dy
//   dweight = sum over groups and rows of dy z,  dbias = sum of dy
// Layouts: x, y, dx, dy [groups * rows, C]; mean, inverse_deviation [groups, C]; weight, bias, dweight, dbias [C].
// weight and bias may be null (1 and 0); every gradient may be null where nobody needs it.
#pragma once
#include <cmath>

#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"

namespace kern::kernels {

struct ChannelNorm {
  int64_t groups = 0, rows = 1, c = 1;
  float eps = 1e-5f;
  bool frozen = false;
  int64_t x_pitch = 1, y_pitch = 1, dx_pitch = 1, dy_pitch = 1;
};

// mean and variance (biased) [groups, C]; 0 where a group has no rows.
template <Scalar T>
void channel_moments_reference(const ChannelNorm& g, const T* x, T* mean, T* variance) {
  for (int64_t n = 0; n < g.groups; ++n)
    for (int64_t c = 0; c < g.c; ++c) {
      const T* at = x + n * g.rows * g.x_pitch + c;
      T sum(0), squares(0);
      for (int64_t i = 0; i < g.rows; ++i) sum += at[i * g.x_pitch];
      const T count = T(float(g.rows > 0 ? g.rows : 1)), m = sum / count;
      for (int64_t i = 0; i < g.rows; ++i) squares += (at[i * g.x_pitch] - m) * (at[i * g.x_pitch] - m);
      mean[n * g.c + c] = m;
      variance[n * g.c + c] = squares / count;
    }
}
template <Scalar T>
void channel_norm_apply_reference(const ChannelNorm& g, const T* x, const T* weight, const T* bias, const T* mean,
                                  const T* inverse_deviation, T* y) {
  for (int64_t i = 0; i < g.groups * g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const int64_t s = i / g.rows * g.c + c;
      const T z = (x[i * g.x_pitch + c] - mean[s]) * inverse_deviation[s];
      y[i * g.y_pitch + c] = z * (weight ? weight[c] : T(1)) + (bias ? bias[c] : T(0));
    }
}
template <Scalar T>
void channel_norm_backward_reference(const ChannelNorm& g, const T* dy, const T* x, const T* weight, const T* mean,
                                     const T* inverse_deviation, T* dx, T* dweight, T* dbias) {
  for (int64_t c = 0; c < g.c; ++c) {
    T sum_dyz(0), sum_dy(0);
    for (int64_t n = 0; n < g.groups; ++n) {
      const T m = mean[n * g.c + c], d = inverse_deviation[n * g.c + c];
      T group_dyz(0), group_dy(0);
      for (int64_t i = n * g.rows; i < (n + 1) * g.rows; ++i) {
        group_dyz += dy[i * g.dy_pitch + c] * (x[i * g.x_pitch + c] - m) * d;
        group_dy += dy[i * g.dy_pitch + c];
      }
      const T count = T(float(g.rows > 0 ? g.rows : 1)), w = weight ? weight[c] : T(1);
      for (int64_t i = n * g.rows; dx && i < (n + 1) * g.rows; ++i) {
        const T z = (x[i * g.x_pitch + c] - m) * d, gradient = dy[i * g.dy_pitch + c];
        dx[i * g.dx_pitch + c] = d * w * (g.frozen ? gradient : gradient - group_dy / count - z * (group_dyz / count));
      }
      sum_dyz += group_dyz;
      sum_dy += group_dy;
    }
    if (dweight) dweight[c] = sum_dyz;
    if (dbias) dbias[c] = sum_dy;
  }
}

}  // namespace kern::kernels
