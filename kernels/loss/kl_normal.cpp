#include "kernels/loss/kl_normal.h"

#include "kernels/common/exponential.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

template <Isa isa>
void forward(const Exec& exec, const KlNormalSpec& g, const float* mu, const float* s, float* loss) {
  const Chunks chunks(g.rows, g.c);
  double* part = static_cast<double*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float k = float(g.factor());
      double sum = 0;
      for (int64_t i = begin; i < end; ++i) {
        const float *m = mu + i * g.mu_pitch(), *si = s + i * g.s_pitch();
        sum += lane_sum(g.c, [=](int64_t c) {
          const float v = k * si[c];
          return double(m[c]) * double(m[c]) + (double(exponential_minus_one(v)) - double(v));
        });
      }
      part[begin / chunks.grain] = sum;
    });
  });
  double sum = 0;
  for (int64_t j = 0; j < chunks.count(); ++j) sum += part[j];
  *loss = float(0.5 * sum / double(g.divisor));
}

template <Isa isa>
void backward(const Exec&, const KlNormalSpec& g, const float* dy, const float* mu, const float* s, float* dmu,
              float* ds) {
  const float scale = float(double(*dy) / double(g.divisor));
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float k = float(g.factor()), f = scale, half = scale * 0.5f * k;
      for (int64_t i = begin; i < end; ++i) {
        const float *m = mu + i * g.mu_pitch(), *si = s + i * g.s_pitch();
        if (float* to = dmu ? dmu + i * g.dmu_pitch() : nullptr)
          for (int64_t c = 0; c < g.c; ++c) to[c] = f * m[c];
        if (float* to = ds ? ds + i * g.ds_pitch() : nullptr)
          for (int64_t c = 0; c < g.c; ++c) to[c] = half * exponential_minus_one(k * si[c]);
      }
    });
  });
}

template <Isa isa>
constexpr KlNormalImpl simd_row() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const KlNormalSpec& g) { return sum_rows_workspace(g.rows, g.c); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<KlNormalImpl>& kl_normal_registry() {
  static const KlNormalImpl impls[] = {
      KERN_CUDA_IMPL(kl_normal_cuda_impl()) KERN_SIMD_IMPLS(simd_row),
      {.name = "reference",
       .device = Device::cpu,
       .supports = supports_all,
       .workspace = no_workspace,
       .forward = [](const Exec&, const KlNormalSpec& g, const float* mu, const float* s,
                     float* loss) { kl_normal_forward_reference(g, mu, s, loss); },
       .backward = [](const Exec&, const KlNormalSpec& g, const float* dy, const float* mu, const float* s, float* dmu,
                      float* ds) { kl_normal_backward_reference(g, dy, mu, s, dmu, ds); }},
  };
  static const Registry<KlNormalImpl> registry{"kl_normal", impls};
  return registry;
}
OpInfo kl_normal_info() { return info_of(kl_normal_registry()); }

}  // namespace kern::kernels
