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

#include "kernels/common/simd.h"
#include "kernels/norm/sample_norm.h"

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
  constexpr Extent statistics() const { return {n, groups}; }
  bool operator==(const GroupNormSpec&) const = default;
};

// f(row, c) for every value of a group of a sample.
template <class F>
void group_norm_for_each(const GroupNormSpec& g, int64_t n, int64_t group, F&& f) {
  for (int64_t i = n * g.l; i < (n + 1) * g.l; ++i)
    for (int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c) f(i, c);
}
struct GroupNorm {
  static constexpr const char* kName = "group_norm";
  using Spec = GroupNormSpec;
  template <class T>
  using Forward = SampleNormForward<Spec, T>;
  template <class T>
  using Backward = SampleNormBackward<Spec, T>;
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    const T count = T(float(g.values() > 0 ? g.values() : 1));
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t k = 0; k < g.groups; ++k) {
        T sum(0), squares(0);
        group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) { sum += a.x[i * g.x_pitch() + c]; });
        const T m = sum / count;
        group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
          const T from_mean = a.x[i * g.x_pitch() + c] - m;
          squares += from_mean * from_mean;
        });
        const T d = T(1) / std::sqrt(squares / count + T(g.eps));
        group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
          a.y[i * g.y_pitch() + c] =
              (a.x[i * g.x_pitch() + c] - m) * d * (a.weight ? a.weight[c] : T(1)) + (a.bias ? a.bias[c] : T(0));
        });
        a.mean[n * g.groups + k] = m;
        a.inverse_deviation[n * g.groups + k] = d;
      }
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t c = 0; c < g.c; ++c) {
      if (a.dweight) a.dweight[c] = T(0);
      if (a.dbias) a.dbias[c] = T(0);
    }
    const T count = T(float(g.values() > 0 ? g.values() : 1));
    for (int64_t n = 0; n < g.n; ++n)
      for (int64_t k = 0; k < g.groups; ++k) {
        const T m = a.mean[n * g.groups + k], d = a.inverse_deviation[n * g.groups + k];
        T sum_u(0), sum_uz(0);
        group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
          const T gradient = a.dy[i * g.dy_pitch() + c], z = (a.x[i * g.x_pitch() + c] - m) * d,
                  u = gradient * (a.weight ? a.weight[c] : T(1));
          sum_u += u;
          sum_uz += u * z;
          if (a.dweight) a.dweight[c] += gradient * z;
          if (a.dbias) a.dbias[c] += gradient;
        });
        if (!a.dx) continue;
        group_norm_for_each(g, n, k, [&](int64_t i, int64_t c) {
          const T z = (a.x[i * g.x_pitch() + c] - m) * d,
                  u = a.dy[i * g.dy_pitch() + c] * (a.weight ? a.weight[c] : T(1));
          a.dx[i * g.dx_pitch() + c] = d * (u - sum_u / count - z * (sum_uz / count));
        });
      }
  }
  static std::string shape(const Spec& g) { return text(g.n, "x", g.l, "x", g.c, " in ", g.groups); }
  static const Registry<Implementation<GroupNorm>>& registry();
  template <Isa isa>
  static Implementation<GroupNorm> simd();  // group_norm_simd.cpp
  static Implementation<GroupNorm> cuda();  // group_norm.cu
};

}  // namespace kern::kernels
