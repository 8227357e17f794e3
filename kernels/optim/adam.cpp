#include "kernels/optim/adam.h"

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

// What a step needs beside the arrays; the loops work on a copy, which nothing written to can alias.
struct Factors {
  float scale, keep, decay, b1, b2, d1, d2, rate, root, epsilon;
};

template <Isa isa>
void step(const Exec&, const AdamSpec& a, const int64_t* count, const float* lr, const float* grad_scale, float* p,
          const float* g, float* m, float* v) {
  const double c1 = 1 - std::pow(a.beta1, double(*count)), c2 = 1 - std::pow(a.beta2, double(*count));
  const Factors factors{.scale = grad_scale ? *grad_scale : 1.0f,
                        .keep = a.decoupled ? float(1 - double(*lr) * a.weight_decay) : 1.0f,
                        .decay = a.decoupled ? 0.0f : float(a.weight_decay),
                        .b1 = float(a.beta1),
                        .b2 = float(a.beta2),
                        .d1 = float(1 - a.beta1),
                        .d2 = float(1 - a.beta2),
                        .rate = float(double(*lr) / c1),
                        .root = float(1 / std::sqrt(c2)),
                        .epsilon = float(a.epsilon)};
  parallel_for(a.n, 16384, [&](int64_t begin, int64_t end) {
    on_isa<isa>([=] {
      const Factors f = factors;
      for (int64_t i = begin; i < end; ++i) {
        const float gradient = g[i] * f.scale + f.decay * p[i];
        const float mi = f.b1 * m[i] + f.d1 * gradient, vi = f.b2 * v[i] + f.d2 * gradient * gradient;
        m[i] = mi;
        v[i] = vi;
        p[i] = f.keep * p[i] - f.rate * mi / (std::sqrt(vi) * f.root + f.epsilon);
      }
    });
  });
}

template <Isa isa>
constexpr AdamImpl simd() {
  return {.name = isa_name(isa), .device = Device::cpu, .supports = supports_on<isa>, .step = step<isa>};
}
const AdamImpl kImpls[] = {
    KERN_CUDA_IMPL(adam_cuda_impl()) KERN_SIMD_IMPLS(simd),
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .step = [](const Exec&, const AdamSpec& a, const int64_t* count, const float* lr, const float* grad_scale,
                float* p, const float* g, float* m,
                float* v) { adam_reference(a, count, lr, grad_scale, p, g, m, v); }},
};
const Registry<AdamImpl> kRegistry{"adam", kImpls};

}  // namespace

const Registry<AdamImpl>& adam_registry() { return kRegistry; }
OpInfo adam_info() { return info_of(adam_registry()); }

}  // namespace kern::kernels
