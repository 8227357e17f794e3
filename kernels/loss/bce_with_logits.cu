#include "kernels/common/sum.cuh"
#include "kernels/loss/bce_with_logits.h"

namespace kern::kernels {
namespace {

// Forward reads 8 or 12 bytes a value, backward writes 4 more; an exponential and a logarithm: bound by memory.
struct Forward {
  BceSpec g;
  const float *x, *t, *w;

  __device__ Terms<2> operator()(int64_t row, int64_t column) const {
    const float wi = w ? w[row * g.w_pitch() + column] : 1;
    if (wi == 0) return {{0, 0}};
    const float v = x[row * g.x_pitch() + column], ti = t[row * g.t_pitch() + column];
    const float softplus = (v < 0 ? -v : 0) + log1pf(expf(-fabsf(v)));  // log(1 + exp(-x))
    return {{wi * ((1 - ti) * v + (1 + (g.pos_weight - 1) * ti) * softplus), wi}};
  }
};
struct Finish {
  BceSpec g;
  float *loss, *saved;
  __device__ void operator()(const Sums<2>& sums) const {
    const double divisor = g.by_weight ? sums.v[1] : double(g.size());
    *saved = float(divisor);
    *loss = divisor == 0 ? 0.0f : float(sums.v[0] / divisor);
  }
};
struct Backward {
  BceSpec g;
  const float *dy, *x, *t, *w, *saved;
  float* dx;

  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    const float divisor = *saved, scale = divisor == 0 ? 0 : *dy / divisor;
    Pack<W> v = load<W>(x + row * g.x_pitch() + column), wi;
    const Pack<W> ti = load<W>(t + row * g.t_pitch() + column);
    if (w) wi = load<W>(w + row * g.w_pitch() + column);
#pragma unroll
    for (int i = 0; i < W; ++i) {
      const float e = expf(-fabsf(v.v[i])), sigmoid_of_minus = (v.v[i] < 0 ? 1 : e) / (1 + e);
      const float slope = (1 - ti.v[i]) - (1 + (g.pos_weight - 1) * ti.v[i]) * sigmoid_of_minus;
      const float weight = w ? wi.v[i] : 1;
      v.v[i] = weight == 0 || divisor == 0 ? 0 : scale * weight * slope;
    }
    store(dx + row * g.dx_pitch() + column, v);
  }
};

}  // namespace

Implementation<BceWithLogits> BceWithLogits::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return device_sums_workspace(g.size(), 2); },
          .forward =
              [](const Exec& exec, const Spec& g, const BceWithLogits::Forward<float>& a) {
                const bool dense = all_dense(g.c, {{a.x, g.x_pitch()}, {a.t, g.t_pitch()}, {a.w, g.w_pitch()}});
                device_sums<2>("bce_with_logits_forward", exec, g.rows, g.c, dense, kernels::Forward{g, a.x, a.t, a.w},
                               Finish{g, a.loss, a.saved});
              },
          .backward =
              [](const Exec& exec, const Spec& g, const BceWithLogits::Backward<float>& a) {
                for_each_value("bce_with_logits_backward", exec, g.rows, g.c,
                               {{a.x, g.x_pitch()}, {a.t, g.t_pitch()}, {a.w, g.w_pitch()}, {a.dx, g.dx_pitch()}},
                               kernels::Backward{g, a.dy, a.x, a.t, a.w, a.saved, a.dx});
              }};
}

}  // namespace kern::kernels
