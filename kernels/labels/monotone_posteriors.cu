// monotone_posteriors on the GPU: a thread for each signal. What comes next on a signal waits for what came before, so
// there is nothing to share within one; a batch of windows keeps as many threads busy as it has signals, while the GPU
// does little else. Bound by the latency of two logarithms in double a value.
#include "kernels/common/cuda.h"
#include "kernels/labels/monotone_posteriors.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 32;

__global__ void __launch_bounds__(kThreads)
    monotone_posteriors_kernel(MonotonePosteriorsSpec g, const float* p, const int32_t* present, float* q,
                               double* scratch) {
  const int64_t n = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (n < g.n) posteriors_of_signal(g, n, p, present, q, scratch);
}

}  // namespace

MonotonePosteriorsImpl monotone_posteriors_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const MonotonePosteriorsSpec& g) { return g.scratch_size() * sizeof(double); },
          .forward =
              [](const Exec& exec, const MonotonePosteriorsSpec& g, const float* p, const int32_t* present, float* q) {
                KERN_LAUNCH(monotone_posteriors_kernel, over(g.n, kThreads, exec), g, p, present, q,
                            static_cast<double*>(exec.scratch));
              }};
}

}  // namespace kern::kernels
