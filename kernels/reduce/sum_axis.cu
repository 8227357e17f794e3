// sum_axis on the GPU. Many sums: a thread each, neighbours of it read neighbours in memory where inner > 1. Few sums
// of a long axis: the channel sums of kernels/common/channel_sums.cuh. Reads 4 bytes a value, bound by memory.
#include "kernels/common/column_sums.cuh"
#include "kernels/reduce/sum_axis.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256;

// By size alone: a thread for each sum where that is work enough for a GPU, or the axis is short.
constexpr bool thread_each(const SumAxisSpec& g) { return g.n <= 32 || g.y_size() >= 65536; }
constexpr ChannelGrid grid_of(const SumAxisSpec& g) { return {g.outer, g.n, g.inner}; }

__global__ void __launch_bounds__(kThreads) sum_axis_kernel(SumAxisSpec g, const float* x, float* y) {
  const int64_t at = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= g.y_size()) return;
  const int64_t o = at / g.inner;
  const float* from = x + (o * g.n) * g.inner + (at - o * g.inner);
  double sum = 0;
  for (int64_t n = 0; n < g.n; ++n, from += g.inner) sum += double(*from);
  y[at] = float(sum * g.scale);
}
// A thread for each sum: what blocks found of it, in their order.
__global__ void __launch_bounds__(kThreads) total_kernel(SumAxisSpec g, int64_t chunks, const double* sums, float* y) {
  const int64_t at = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= g.y_size()) return;
  const int64_t o = at / g.inner, i = at - o * g.inner;
  double sum = 0;
  for (int64_t k = 0; k < chunks; ++k) sum += sums[(o * chunks + k) * g.inner + i];
  y[at] = float(sum * g.scale);
}

struct Repeat {
  SumAxisSpec g;
  const float* dy;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {  // rows of outer * n; or of outer, where inner is 1
    Pack<W> v;
    const float* const from = dy + (g.inner == 1 ? row : row / g.n * g.inner + column);
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = from[g.inner == 1 ? 0 : i] * float(g.scale);
    store(dx + row * (g.inner == 1 ? g.n : g.inner) + column, v);
  }
};

}  // namespace

Implementation<SumAxis> SumAxis::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const SumAxisSpec& g) { return thread_each(g) ? size_t{0} : grid_of(g).sums_bytes(1); },
          .forward =
              [](const Exec& exec, const Spec& g, const Forward<float>& a) {
                const LaunchConfig over_sums = over(g.y_size(), kThreads, exec);
                if (thread_each(g)) return KERN_LAUNCH(sum_axis_kernel, over_sums, g, a.x, a.y);
                const ChannelGrid grid = grid_of(g);
                double* const sums = static_cast<double*>(exec.scratch);
                channel_sums("sum_axis", exec, grid, {{a.x, g.inner}}, Columns{a.x, g.inner}, sums);
                KERN_LAUNCH(total_kernel, over_sums, g, grid.chunks, static_cast<const double*>(sums), a.y);
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Backward<float>& a) {
                const int64_t rows = g.inner == 1 ? g.outer : g.outer * g.n, c = g.inner == 1 ? g.n : g.inner;
                for_each_value("sum_axis backward", exec, rows, c, {{a.dx, c}}, Repeat{g, a.dy, a.dx}, false);
              }};
}

}  // namespace kern::kernels
