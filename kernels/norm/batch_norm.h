// batch_norm (Ioffe and Szegedy 2015): each channel, normalised over the batch and all positions.
// In training, with m[c] = avg_i x[i,c], v[c] = avg_i (x[i,c] - m[c])^2, d[c] = 1 / sqrt(v[c] + eps):
//   y[i,c] = weight[c] z[i,c] + bias[c],  z[i,c] = (x[i,c] - m[c]) d[c]
//   running_mean[c]     <- (1 - momentum) running_mean[c] + momentum m[c]
//   running_variance[c] <- (1 - momentum) running_variance[c] + momentum v[c] rows / (rows - 1)
// Frozen (evaluation, or a layer whose statistics shall stay): m and v are the running ones, which are only read.
// Backward:
//   dx[i,c]    = weight[c] d[c] (dy[i,c] - avg_i dy - z[i,c] avg_i (dy z));  frozen: weight[c] d[c] dy[i,c]
//   dweight[c] = sum_i dy[i,c] z[i,c],  dbias[c] = sum_i dy[i,c]
// Layouts: x, y, dx, dy [rows, C]; all else [C]; weight and bias null without affine part.
#pragma once
#include "kernels/common/dispatch.h"
#include "kernels/norm/channel_norm.h"

namespace kern::kernels {

struct BatchNormSpec {
  int64_t rows = 0, c = 1;
  float eps = 1e-5f, momentum = 0.1f;
  bool frozen = false;
  Pitches pitch;
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr ChannelNorm norm() const {
    return {.groups = 1,
            .rows = rows,
            .c = c,
            .eps = eps,
            .frozen = frozen,
            .x_pitch = x_pitch(),
            .y_pitch = y_pitch(),
            .dx_pitch = dx_pitch(),
            .dy_pitch = dy_pitch()};
  }
  // The running statistics move only in training and only where a variance can be estimated.
  constexpr bool updates() const { return !frozen && rows > 1; }
  constexpr double unbiased() const { return rows > 1 ? double(rows) / double(rows - 1) : 1; }
  bool operator==(const BatchNormSpec&) const = default;
};

// running_mean and running_variance may be null unless frozen. mean and inverse_deviation are for backward.
template <Scalar T>
void batch_norm_forward_reference(const BatchNormSpec& g, const T* x, const T* weight, const T* bias, T* running_mean,
                                  T* running_variance, T* y, T* mean, T* inverse_deviation) {
  if (!g.frozen) channel_moments_reference(g.norm(), x, mean, inverse_deviation);
  for (int64_t c = 0; c < g.c; ++c) {
    if (g.frozen) mean[c] = running_mean[c];
    const T variance = g.frozen ? running_variance[c] : inverse_deviation[c];
    inverse_deviation[c] = T(1) / std::sqrt(variance + T(g.eps));
    if (!g.updates() || !running_mean) continue;
    const T momentum(g.momentum), kept = T(1) - momentum;
    running_mean[c] = kept * running_mean[c] + momentum * mean[c];
    running_variance[c] = kept * running_variance[c] + momentum * variance * T(g.unbiased());
  }
  channel_norm_apply_reference(g.norm(), x, weight, bias, mean, inverse_deviation, y);
}
template <Scalar T>
void batch_norm_backward_reference(const BatchNormSpec& g, const T* dy, const T* x, const T* weight, const T* mean,
                                   const T* inverse_deviation, T* dx, T* dweight, T* dbias) {
  channel_norm_backward_reference(g.norm(), dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
}

struct BatchNormImpl {
  const char* name;
  Device device;
  bool (*supports)(const BatchNormSpec&);
  size_t (*workspace)(const BatchNormSpec&);
  void (*forward)(const Exec&, const BatchNormSpec&, const float* x, const float* weight, const float* bias,
                  float* running_mean, float* running_variance, float* y, float* mean, float* inverse_deviation);
  // dx, dweight and dbias may each be null.
  void (*backward)(const Exec&, const BatchNormSpec&, const float* dy, const float* x, const float* weight,
                   const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias);
};
const Registry<BatchNormImpl>& batch_norm_registry();

}  // namespace kern::kernels
