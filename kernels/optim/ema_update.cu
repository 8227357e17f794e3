// ema_update on the GPU: 12 bytes a value. Bound by memory.
#include "kernels/common/flat.cuh"
#include "kernels/optim/ema_update.h"

namespace kern::kernels {
namespace {

struct EmaUpdateStep {
  float keep, take;
  const float* x;
  float* p;
  __device__ EmaUpdateStep prepare() const { return *this; }
  template <int W>
  __device__ void at(int64_t i) const {
    Pack<W> v = load<W>(p + i);
    const Pack<W> towards = load<W>(x + i);
#pragma unroll
    for (int k = 0; k < W; ++k) v.v[k] = keep * v.v[k] + take * towards.v[k];
    store(p + i, v);
  }
};

}  // namespace

EmaUpdateImpl ema_update_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .step = [](const Exec& exec, const EmaUpdateSpec& g, const float* x, float* p) {
            for_each_flat("ema_update", exec, g.n, {x, p}, EmaUpdateStep{float(g.decay), float(1 - g.decay), x, p});
          }};
}

}  // namespace kern::kernels
