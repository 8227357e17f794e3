// sum_squares on the card: two stages in a fixed order, squares and sums in double. 4 bytes a value: bound by memory
// where double is fast; where a card does 64 times fewer operations in double than in float, those keep up just so.
#include "kernels/common/sum.cuh"
#include "kernels/sum_squares.h"

namespace kern::kernels {
namespace {

struct Square {
  const float* x;
  __device__ double operator()(int64_t, int64_t i) const { return double(x[i]) * double(x[i]); }
};
// One block: adds the stretches' sums to the total.
__global__ void add_to_total_kernel(int64_t n, const double* sums, double* total) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += kSumThreads) sum += sums[i];
  sum = block_sum<kSumThreads>(sum);
  if (threadIdx.x == 0) *total += sum;
}

}  // namespace

SumSquaresRow sum_squares_cuda_row() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const SumSquaresSpec& g) { return device_sum_workspace(g.n); },
          .add =
              [](const Exec& exec, const SumSquaresSpec& g, const float* x, double* total) {
                double* sums = static_cast<double*>(exec.scratch);
                const int64_t blocks = stretch_sums("sum_squares", exec, 1, g.n, true, Square{x}, sums);
                KERN_LAUNCH(add_to_total_kernel,
                            LaunchConfig{.grid = 1, .block = kSumThreads, .stream = stream_of(exec)}, blocks, sums,
                            total);
              }};
}

}  // namespace kern::kernels
