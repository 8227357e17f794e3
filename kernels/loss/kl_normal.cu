#include "kernels/common/sum.cuh"
#include "kernels/loss/kl_normal.h"

namespace kern::kernels {
namespace {

// Forward reads 8 bytes a value, backward writes 8 more: bound by memory.
struct Forward {
  KlNormalSpec g;
  const float *mu, *s;
  __device__ float operator()(int64_t row, int64_t column) const {
    const float m = mu[row * g.mu_pitch() + column], v = float(g.factor()) * s[row * g.s_pitch() + column];
    return m * m + (expm1f(v) - v);
  }
};
struct Backward {
  KlNormalSpec g;
  const float *dy, *mu, *s;
  float *dmu, *ds;

  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    const float scale = *dy / float(g.divisor), k = float(g.factor());
    if (dmu) {
      Pack<W> v = load<W>(mu + row * g.mu_pitch() + column);
#pragma unroll
      for (float& e : v.v) e *= scale;
      store(dmu + row * g.dmu_pitch() + column, v);
    }
    if (ds) {
      Pack<W> v = load<W>(s + row * g.s_pitch() + column);
#pragma unroll
      for (float& e : v.v) e = scale * (0.5f * k) * expm1f(k * e);
      store(ds + row * g.ds_pitch() + column, v);
    }
  }
};

}  // namespace

Implementation<KlNormal> KlNormal::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return device_sum_workspace(g.rows * g.c); },
          .forward =
              [](const Exec& exec, const Spec& g, const KlNormal::Forward<float>& a) {
                device_sum("kl_normal_forward", exec, g.rows, g.c,
                           all_dense(g.c, {{a.mu, g.mu_pitch()}, {a.s, g.s_pitch()}}), kernels::Forward{g, a.mu, a.s},
                           a.loss, 0.5 / double(g.divisor));
              },
          .backward =
              [](const Exec& exec, const Spec& g, const KlNormal::Backward<float>& a) {
                for_each_value("kl_normal_backward", exec, g.rows, g.c,
                               {{a.mu, g.mu_pitch()}, {a.s, g.s_pitch()}, {a.dmu, g.dmu_pitch()}, {a.ds, g.ds_pitch()}},
                               kernels::Backward{g, a.dy, a.mu, a.s, a.dmu, a.ds});
              }};
}

}  // namespace kern::kernels
