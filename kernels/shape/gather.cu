// gather on the GPU. Forward: a thread for each value of y, 12 bytes of it. Backward: a thread for each (o, i), which
// alone writes that line of dx and goes through all m: the same sum every time, without atomics. Bound by latency where
// there are few lines.
#include "kernels/common/cuda.h"
#include "kernels/shape/gather.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    gather_kernel(GatherSpec g, const float* x, const int32_t* index, float* y) {
  const int64_t at = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= g.y_size()) return;
  const int64_t row = at / g.inner, o = row / g.m;
  const int32_t n = index[g.index_of(at, row - o * g.m)];
  y[at] = g.inside(n) ? x[(o * g.n + n) * g.inner + (at - row * g.inner)] : NAN;
}
__global__ void __launch_bounds__(kThreads)
    gather_backward_kernel(GatherSpec g, const float* dy, const int32_t* index, float* dx) {
  const int64_t line = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (line >= g.outer * g.inner) return;
  const int64_t o = line / g.inner, i = line - o * g.inner;
  float* const to = dx + o * g.n * g.inner + i;
  for (int64_t n = 0; n < g.n; ++n) to[n * g.inner] = 0;
  for (int64_t m = 0; m < g.m; ++m) {
    const int64_t at = (o * g.m + m) * g.inner + i;
    const int32_t n = index[g.index_of(at, m)];
    if (g.inside(n)) to[n * g.inner] += dy[at];
  }
}

}  // namespace

GatherImpl gather_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = [](const Exec& exec, const GatherSpec& g, const float* x, const int32_t* index,
                        float* y) { KERN_LAUNCH(gather_kernel, over(g.y_size(), kThreads, exec), g, x, index, y); },
          .backward =
              [](const Exec& exec, const GatherSpec& g, const float* dy, const int32_t* index, float* dx) {
                KERN_LAUNCH(gather_backward_kernel, over(g.outer * g.inner, kThreads, exec), g, dy, index, dx);
              }};
}

}  // namespace kern::kernels
