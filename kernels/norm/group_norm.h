// group_norm (Wu and He 2018): the channels of a sample in G groups of C/G neighbours, each group normalised over its
// channels and positions. With averages over the L C/G values of sample n and group g:
//   m[n,g] = avg x,  d[n,g] = 1 / sqrt(avg (x - m[n,g])^2 + eps)
//   y[n,l,c] = weight[c] z[n,l,c] + bias[c],  z[n,l,c] = (x[n,l,c] - m[n,g]) d[n,g],  g = the group of channel c
// Backward, with u[n,l,c] = weight[c] dy[n,l,c]:
//   dx[n,l,c]  = d[n,g] (u[n,l,c] - avg u - z[n,l,c] avg (u z))
//   dweight[c] = sum_{n,l} dy[n,l,c] z[n,l,c],  dbias[c] = sum_{n,l} dy[n,l,c]
// Layouts: x, y, dx, dy [N,L,C], L = all positions of a sample (an image's H W, 1 for [N,C]); m, d [N,G]; the rest [C],
// null without affine part. G = 1 is a layer norm over the whole sample, G = C an instance norm.
#pragma once
#include <cmath>

#include "kernels/common/dispatch.h"
#include "kernels/common/layout.h"
#include "kernels/common/scalar.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

// groups divides c.
struct GroupNormSpec {
  int64_t n = 0, l = 1, c = 1, groups = 1;
  float eps = 1e-5f;
  Pitches pitch;
  constexpr int64_t rows() const { return n * l; }
  constexpr int64_t width() const { return c / groups; }    // channels of a group
  constexpr int64_t values() const { return l * width(); }  // of a group of a sample
  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  bool operator==(const GroupNormSpec&) const = default;
};

// f(row, c) for every value of a group of a sample.
template <class F>
void group_norm_for_each(const GroupNormSpec& g, int64_t n, int64_t group, F&& f) {
  for (int64_t i = n * g.l; i < (n + 1) * g.l; ++i)
    for (int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c) f(i, c);
}
template <Scalar T>
void group_norm_forward_reference(const GroupNormSpec& g, const T* x, const T* weight, const T* bias, T* y, T* mean,
                                  T* inverse_deviation) {
  const T count = T(float(g.values() > 0 ? g.values() : 1));
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t k = 0; k < g.groups; ++k) {
      T sum(0), squares(0);
      group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) { sum += x[i * g.x_pitch() + c]; });
      const T m = sum / count;
      group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
        const T from_mean = x[i * g.x_pitch() + c] - m;
        squares += from_mean * from_mean;
      });
      const T d = T(1) / std::sqrt(squares / count + T(g.eps));
      group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
        y[i * g.y_pitch() + c] =
            (x[i * g.x_pitch() + c] - m) * d * (weight ? weight[c] : T(1)) + (bias ? bias[c] : T(0));
      });
      mean[n * g.groups + k] = m;
      inverse_deviation[n * g.groups + k] = d;
    }
}
template <Scalar T>
void group_norm_backward_reference(const GroupNormSpec& g, const T* dy, const T* x, const T* weight, const T* mean,
                                   const T* inverse_deviation, T* dx, T* dweight, T* dbias) {
  for (int64_t c = 0; c < g.c; ++c) {
    if (dweight) dweight[c] = T(0);
    if (dbias) dbias[c] = T(0);
  }
  const T count = T(float(g.values() > 0 ? g.values() : 1));
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t k = 0; k < g.groups; ++k) {
      const T m = mean[n * g.groups + k], d = inverse_deviation[n * g.groups + k];
      T sum_u(0), sum_uz(0);
      group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
        const T gradient = dy[i * g.dy_pitch() + c], z = (x[i * g.x_pitch() + c] - m) * d,
                u = gradient * (weight ? weight[c] : T(1));
        sum_u += u;
        sum_uz += u * z;
        if (dweight) dweight[c] += gradient * z;
        if (dbias) dbias[c] += gradient;
      });
      if (!dx) continue;
      group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
        const T z = (x[i * g.x_pitch() + c] - m) * d, u = dy[i * g.dy_pitch() + c] * (weight ? weight[c] : T(1));
        dx[i * g.dx_pitch() + c] = d * (u - sum_u / count - z * (sum_uz / count));
      });
    }
}

struct GroupNormImpl {
  const char* name;
  Device device;
  bool (*supports)(const GroupNormSpec&);
  size_t (*workspace)(const GroupNormSpec&);
  // mean and inverse_deviation are for backward.
  void (*forward)(const Exec&, const GroupNormSpec&, const float* x, const float* weight, const float* bias, float* y,
                  float* mean, float* inverse_deviation);
  // dx, dweight and dbias may each be null.
  void (*backward)(const Exec&, const GroupNormSpec&, const float* dy, const float* x, const float* weight,
                   const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias);
};
const Registry<GroupNormImpl>& group_norm_registry();
template <Isa isa>
GroupNormImpl group_norm_simd_impl();  // group_norm_simd.cpp
GroupNormImpl group_norm_cuda_impl();  // group_norm.cu

}  // namespace kern::kernels
