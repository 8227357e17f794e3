#include "kernels/loss/kl_normal.h"

#include "kernels/common/exponential.h"
#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

constexpr int64_t kBlock = 1024;  // values that stay in the nearest cache between loops

template <Isa isa>
void forward(const Exec& exec, const KlNormalSpec& g, const KlNormal::Forward<float>& a) {
  const Chunks chunks(g.rows, g.c);
  const bool dense = g.mu_pitch() == g.c && g.s_pitch() == g.c;
  double* part = static_cast<double*>(exec.scratch);
  parallel_for(g.rows, chunks.grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float k = float(g.factor());
      double sum = 0;
      const int64_t step = dense ? end - begin : 1, count = step * g.c;
      for (int64_t i = begin; i < end; i += step)
        for (int64_t first = 0; first < count; first += kBlock) {
          const int64_t n = std::min(kBlock, count - first);
          const float *m = a.mu + i * g.mu_pitch() + first, *si = a.s + i * g.s_pitch() + first;
          float less_one[kBlock];  // exp(v) - 1, then the sum: each loop vectorises by itself
          for (int64_t c = 0; c < n; ++c) less_one[c] = exponential_minus_one(k * si[c]);
          sum += lane_sum(
              n, [&](int64_t c) { return double(m[c]) * double(m[c]) + (double(less_one[c]) - double(k * si[c])); });
        }
      part[begin / chunks.grain] = sum;
    });
  });
  double sum = 0;
  for (int64_t j = 0; j < chunks.count(); ++j) sum += part[j];
  *a.loss = float(0.5 * sum / double(g.divisor));
}

template <Isa isa>
void backward(const Exec&, const KlNormalSpec& g, const KlNormal::Backward<float>& a) {
  const float scale = float(double(*a.dy) / double(g.divisor));
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      const float k = float(g.factor()), f = scale, half = scale * 0.5f * k;
      for (int64_t i = begin; i < end; ++i) {
        const float *m = a.mu + i * g.mu_pitch(), *si = a.s + i * g.s_pitch();
        if (float* to = a.dmu ? a.dmu + i * g.dmu_pitch() : nullptr)
          for (int64_t c = 0; c < g.c; ++c) to[c] = f * m[c];
        if (float* to = a.ds ? a.ds + i * g.ds_pitch() : nullptr)
          for (int64_t c = 0; c < g.c; ++c) to[c] = half * exponential_minus_one(k * si[c]);
      }
    });
  });
}

template <Isa isa>
constexpr Implementation<KlNormal> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .workspace = [](const KlNormalSpec& g) { return sum_rows_workspace(g.rows, g.c); },
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<KlNormal>>& KlNormal::registry() {
  static const Implementation<KlNormal> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                   reference_implementation<KlNormal>()};
  static const Registry<Implementation<KlNormal>> registry{kName, impls};
  return registry;
}
OpInfo kl_normal_info() { return info_of(KlNormal::registry()); }

}  // namespace kern::kernels
