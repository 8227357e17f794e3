// adam on the GPU: one kernel over p, g, m and v, 28 bytes a value. Bound by memory.
#include "kernels/common/flat.cuh"
#include "kernels/optim/adam.h"

namespace kern::kernels {
namespace {

// x^n by squaring, in double: exact to some ulps, and a tenth of what pow costs.
__device__ double power(double x, int64_t n) {
  double y = 1;
  for (; n > 0; n /= 2, x *= x)
    if (n % 2) y *= x;
  return y;
}

struct AdamFactors {
  float scale, keep, decay, b1, b2, d1, d2, rate, root, epsilon;
};
struct AdamUpdate {
  AdamFactors a;
  float *p, *m, *v;
  const float* g;
  template <int W>
  __device__ void at(int64_t i) const {
    Pack<W> pi = load<W>(p + i), mi = load<W>(m + i), vi = load<W>(v + i);
    const Pack<W> gi = load<W>(g + i);
#pragma unroll
    for (int k = 0; k < W; ++k) {
      const float gradient = gi.v[k] * a.scale + a.decay * pi.v[k];
      mi.v[k] = a.b1 * mi.v[k] + a.d1 * gradient;
      vi.v[k] = a.b2 * vi.v[k] + a.d2 * gradient * gradient;
      pi.v[k] = a.keep * pi.v[k] - a.rate * mi.v[k] / (sqrtf(vi.v[k]) * a.root + a.epsilon);
    }
    store(m + i, mi);
    store(v + i, vi);
    store(p + i, pi);
  }
};
struct AdamStep {
  AdamSpec a;
  const int64_t* step;
  const float *lr, *grad_scale;
  float* p;
  const float* g;
  float *m, *v;
  // The two corrections in double, by one thread each.
  __device__ AdamUpdate prepare() const {
    KERN_SHARED(double[2], correction);
    if (threadIdx.x % 32 == 0 && threadIdx.x < 64)
      correction[threadIdx.x / 32] = 1 - power(threadIdx.x == 0 ? a.beta1 : a.beta2, *step);
    __syncthreads();
    const double rate = double(*lr);
    return {{.scale = grad_scale ? *grad_scale : 1.0f,
             .keep = a.decoupled ? float(1 - rate * a.weight_decay) : 1.0f,
             .decay = a.decoupled ? 0.0f : float(a.weight_decay),
             .b1 = float(a.beta1),
             .b2 = float(a.beta2),
             .d1 = float(1 - a.beta1),
             .d2 = float(1 - a.beta2),
             .rate = float(rate / correction[0]),
             .root = float(1 / sqrt(correction[1])),
             .epsilon = float(a.epsilon)},
            p,
            m,
            v,
            g};
  }
};

}  // namespace

AdamImpl adam_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .step = [](const Exec& exec, const AdamSpec& a, const int64_t* step, const float* lr, const float* grad_scale,
                     float* p, const float* g, float* m, float* v) {
            for_each_flat("adam", exec, a.n, {p, g, m, v}, AdamStep{a, step, lr, grad_scale, p, g, m, v});
          }};
}

}  // namespace kern::kernels
