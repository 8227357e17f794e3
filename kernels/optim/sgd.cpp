#include "kernels/optim/sgd.h"

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

// What a step needs beside the arrays; the loops work on a copy, which nothing written to can alias.
struct Factors {
  float rate, scale, decay, momentum, from_g, from_m;  // direction = from_g g' + from_m m
};

template <Isa isa>
void step(const Exec&, const SgdSpec& a, const float* lr, const float* grad_scale, float* p, const float* g, float* m) {
  const Factors factors{.rate = *lr,
                        .scale = grad_scale ? *grad_scale : 1.0f,
                        .decay = float(a.weight_decay),
                        .momentum = float(a.momentum),
                        .from_g = a.momentum == 0 || a.nesterov ? 1.0f : 0.0f,
                        .from_m = a.nesterov ? float(a.momentum) : 1.0f};
  parallel_for(a.n, 16384, [&](int64_t begin, int64_t end) {
    on_isa<isa>([=] {
      const Factors f = factors;
      if (f.momentum == 0) {
        for (int64_t i = begin; i < end; ++i) p[i] -= f.rate * (g[i] * f.scale + f.decay * p[i]);
        return;
      }
      for (int64_t i = begin; i < end; ++i) {
        const float gradient = g[i] * f.scale + f.decay * p[i], mi = f.momentum * m[i] + gradient;
        m[i] = mi;
        p[i] -= f.rate * (f.from_g * gradient + f.from_m * mi);
      }
    });
  });
}

template <Isa isa>
constexpr SgdImpl simd() {
  return {.name = isa_name(isa), .device = Device::cpu, .supports = supports_on<isa>, .step = step<isa>};
}
const SgdImpl kImpls[] = {
    KERN_CUDA_IMPL(sgd_cuda_impl()) KERN_SIMD_IMPLS(simd),
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .step = [](const Exec&, const SgdSpec& a, const float* lr, const float* grad_scale, float* p, const float* g,
                float* m) { sgd_reference(a, lr, grad_scale, p, g, m); }},
};
const Registry<SgdImpl> kRegistry{"sgd", kImpls};

}  // namespace

const Registry<SgdImpl>& sgd_registry() { return kRegistry; }
OpInfo sgd_info() { return info_of(sgd_registry()); }

}  // namespace kern::kernels
