// instance_norm (Ulyanov et al. 2016): each channel of each sample, normalised over its positions. With
//   m[n,c] = avg_l x[n,l,c],  d[n,c] = 1 / sqrt(avg_l (x[n,l,c] - m[n,c])^2 + eps):
//   y[n,l,c] = weight[c] z[n,l,c] + bias[c],  z[n,l,c] = (x[n,l,c] - m[n,c]) d[n,c]
// Backward:
//   dx[n,l,c]  = weight[c] d[n,c] (dy[n,l,c] - avg_l dy - z[n,l,c] avg_l (dy z))
//   dweight[c] = sum_{n,l} dy[n,l,c] z[n,l,c],  dbias[c] = sum_{n,l} dy[n,l,c]
// Layouts: x, y, dx, dy [N,L,C], L = all positions of a sample (an image's H W); m, d [N,C]; the rest [C], null without
// affine part.
#pragma once
#include "kernels/norm/channel_norm.h"
#include "kernels/norm/sample_norm.h"

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
  constexpr Extent statistics() const { return {n, c}; }
  bool operator==(const InstanceNormSpec&) const = default;
};

struct InstanceNorm {
  static constexpr const char* kName = "instance_norm";
  using Spec = InstanceNormSpec;
  template <class T>
  using Forward = SampleNormForward<Spec, T>;
  template <class T>
  using Backward = SampleNormBackward<Spec, T>;
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    channel_moments_reference(g.norm(), a.x, a.mean, a.inverse_deviation);
    for (int64_t i = 0; i < g.n * g.c; ++i)
      a.inverse_deviation[i] = T(1) / std::sqrt(a.inverse_deviation[i] + T(g.eps));
    channel_norm_apply_reference(g.norm(), a.x, a.weight, a.bias, a.mean, a.inverse_deviation, a.y);
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    channel_norm_backward_reference(g.norm(), a.dy, a.x, a.weight, a.mean, a.inverse_deviation, a.dx, a.dweight,
                                    a.dbias);
  }
  static std::string shape(const Spec& g) { return text(g.n, "x", g.l, "x", g.c); }
  static const Registry<Implementation<InstanceNorm>>& registry();
};

}  // namespace kern::kernels
