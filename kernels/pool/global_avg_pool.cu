#include "kernels/common/elementwise.cuh"
#include "kernels/pool/global_avg_pool.h"

namespace kern::kernels {
namespace {

// Forward, stage one: a block of 32 channels x 8 adds a chunk of a sample's rows, thread (c, r) the rows r, r + 8,
// ... in double every 16 values; a warp reads 32 neighbouring channels. Stage two adds the chunks. Bound by memory.
constexpr int kChannels = 32, kRows = 8, kThreads = 256;
constexpr int64_t kChunk = 1024;
constexpr int64_t chunks(const GlobalAvgPoolSpec& g) { return ceil_div(g.l, kChunk); }

__global__ void __launch_bounds__(kChannels* kRows)
    global_avg_pool_sums_kernel(GlobalAvgPoolSpec g, const float* x, double* sums) {
  KERN_SHARED(double[kRows][kChannels], of_thread);
  const int64_t n = blockIdx.x / chunks(g), chunk = blockIdx.x - n * chunks(g);
  const int64_t c = int64_t(blockIdx.y) * kChannels + threadIdx.x;
  const int64_t end = g.l < (chunk + 1) * kChunk ? g.l : (chunk + 1) * kChunk;
  double total = 0;
  float few = 0;
  int count = 0;
  for (int64_t l = chunk * kChunk + threadIdx.y; l < end && c < g.c; l += kRows) {
    few += x[(n * g.l + l) * g.x_pitch() + c];
    if (++count == 16) total += double(few), few = 0, count = 0;
  }
  of_thread[threadIdx.y][threadIdx.x] = total + double(few);
  __syncthreads();
  if (threadIdx.y > 0 || c >= g.c) return;
  double sum = 0;
  for (int r = 0; r < kRows; ++r) sum += of_thread[r][threadIdx.x];
  sums[int64_t(blockIdx.x) * g.c + c] = sum;
}
// One thread per (n, c).
__global__ void __launch_bounds__(kThreads)
    global_avg_pool_forward_kernel(GlobalAvgPoolSpec g, const double* sums, float* y) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= g.n * g.c) return;
  const int64_t n = i / g.c, c = i - n * g.c;
  double sum = 0;
  for (int64_t s = 0; s < chunks(g); ++s) sum += sums[(n * chunks(g) + s) * g.c + c];
  y[n * g.y_pitch() + c] = float(sum / double(g.l));
}

// Writes 4 bytes a value; dy stays in the cache.
struct Spread {
  GlobalAvgPoolSpec g;
  const float* dy;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const int64_t n = row >> 32 || g.l >> 32 ? row / g.l : int64_t(uint32_t(row) / uint32_t(g.l));
    Pack<W> d = load<W>(dy + n * g.dy_pitch() + c);
    const float scale = 1 / float(g.l);
#pragma unroll
    for (float& e : d.v) e *= scale;
    store(dx + row * g.dx_pitch() + c, d);
  }
};

}  // namespace

Implementation<GlobalAvgPool> GlobalAvgPool::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const GlobalAvgPoolSpec& g) { return size_t(g.n * chunks(g) * g.c) * sizeof(double); },
          .forward =
              [](const Exec& exec, const Spec& g, const Forward<float>& a) {
                double* sums = static_cast<double*>(exec.scratch);
                const LaunchConfig config{.grid = dim3(unsigned(g.n * chunks(g)), unsigned(ceil_div(g.c, kChannels))),
                                          .block = dim3(kChannels, kRows),
                                          .stream = stream_of(exec)};
                KERN_LAUNCH(global_avg_pool_sums_kernel, config, g, a.x, sums);
                KERN_LAUNCH(global_avg_pool_forward_kernel, over(g.n * g.c, kThreads, exec), g, sums, a.y);
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Backward<float>& a) {
                for_each_value("global_avg_pool_backward", exec, g.n * g.l, g.c,
                               {{a.dy, g.dy_pitch()}, {a.dx, g.dx_pitch()}}, Spread{g, a.dy, a.dx}, false);
              }};
}

}  // namespace kern::kernels
