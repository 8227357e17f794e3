// max_axis on the GPU. Many maxima: a thread each. Few of a long axis: a block each, whose threads take every 256th
// value and then agree. Reads 4 bytes a value, bound by memory where inner > 1 or there are thousands of maxima.
#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"
#include "kernels/reduce/max_axis.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256;

struct Best {
  float value;
  int32_t at;
};
// The better of two, of equal ones the one that stands first.
__device__ __forceinline__ Best better(Best a, Best b, bool smallest) {
  if (b.at < a.at) {
    const Best swap = a;
    a = b, b = swap;
  }
  return takes_over(b.value, a.value, smallest) ? b : a;
}
// Of positions n = begin, begin + step, ... of one maximum.
__device__ __forceinline__ Best best_of(const MaxAxisSpec& g, const float* x, int64_t begin, int64_t step) {
  Best best{x[begin * g.inner], int32_t(begin)};
  for (int64_t n = begin + step; n < g.n; n += step) {
    const float v = x[n * g.inner];
    if (takes_over(v, best.value, g.smallest)) best = {v, int32_t(n)};
  }
  return best;
}
__device__ __forceinline__ const float* line(const MaxAxisSpec& g, const float* x, int64_t at) {
  const int64_t o = at / g.inner;
  return x + o * g.n * g.inner + (at - o * g.inner);
}

__global__ void __launch_bounds__(kThreads)
    thread_each_kernel(MaxAxisSpec g, const float* x, float* y, int32_t* index) {
  const int64_t at = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= g.y_size()) return;
  const Best best = best_of(g, line(g, x, at), 0, 1);
  y[at] = best.value, index[at] = best.at;
}
__global__ void __launch_bounds__(kThreads) block_each_kernel(MaxAxisSpec g, const float* x, float* y, int32_t* index) {
  KERN_SHARED(Best[kThreads], all);
  const int64_t at = blockIdx.x;
  const int thread = int(threadIdx.x), count = g.n < kThreads ? int(g.n) : kThreads;
  if (thread < count) all[thread] = best_of(g, line(g, x, at), thread, kThreads);
  for (int apart = kThreads / 2; apart > 0; apart /= 2) {
    __syncthreads();
    if (thread < apart && thread + apart < count) all[thread] = better(all[thread], all[thread + apart], g.smallest);
  }
  if (thread == 0) y[at] = all[0].value, index[at] = all[0].at;
}

struct Backward {
  MaxAxisSpec g;
  const float* dy;
  const int32_t* index;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {  // rows of outer * n
    const int64_t o = row / g.n, from = o * g.inner + column;
    const int32_t n = int32_t(row - o * g.n);
    Pack<W> v;
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = index[from + i] == n ? dy[from + i] : 0.0f;
    store(dx + row * g.inner + column, v);
  }
};

}  // namespace

MaxAxisImpl max_axis_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const MaxAxisSpec& g, const float* x, float* y, int32_t* index) {
                const int64_t size = g.y_size();
                if (g.n <= 32 || size >= 65536)
                  return KERN_LAUNCH(thread_each_kernel, over(size, kThreads, exec), g, x, y, index);
                const LaunchConfig config{
                    .grid = unsigned(size), .block = unsigned(kThreads), .stream = stream_of(exec)};
                KERN_LAUNCH(block_each_kernel, config, g, x, y, index);
              },
          .backward =
              [](const Exec& exec, const MaxAxisSpec& g, const float* dy, const int32_t* index, float* dx) {
                for_each_value("max_axis backward", exec, g.outer * g.n, g.inner, {{dx, g.inner}},
                               Backward{g, dy, index, dx}, false);
              }};
}

}  // namespace kern::kernels
