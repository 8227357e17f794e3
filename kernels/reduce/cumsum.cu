// cumsum on the GPU: a thread goes down each line. 8 bytes a value; bound by memory where there are thousands of lines
// and inner > 1, by latency where one line is long.
#include "kernels/common/cuda.h"
#include "kernels/reduce/cumsum.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads) cumsum_kernel(CumsumSpec g, const float* x, float* y) {
  const int64_t line = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (line >= g.y_size()) return;
  const int64_t o = line / g.inner, step = g.reverse ? -g.inner : g.inner;
  int64_t at = (o * g.n + (g.reverse ? g.n - 1 : 0)) * g.inner + (line - o * g.inner);
  double sum = 0;
  for (int64_t k = 0; k < g.n; ++k, at += step) y[at] = float(sum += double(x[at]));
}

}  // namespace

CumsumImpl cumsum_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = [](const Exec& exec, const CumsumSpec& g, const float* x, float* y) {
            KERN_LAUNCH(cumsum_kernel, over(g.y_size(), kThreads, exec), g, x, y);
          }};
}

}  // namespace kern::kernels
