// sum_squares on the GPU: two stages in a fixed order, squares and sums in double. 4 bytes a value: bound by memory
// where double is fast; where a GPU does 64 times fewer operations in double than in float, those keep up just so.
#include "kernels/common/sum.cuh"
#include "kernels/reduce/sum_squares.h"

namespace kern::kernels {
namespace {

struct Square {
  const float* x;
  __device__ double operator()(int64_t, int64_t i) const { return double(x[i]) * double(x[i]); }
};
struct AddToTotal {
  double* total;
  __device__ void operator()(const Sums<1>& sum) const { *total += sum.v[0]; }
};

// One thread: what follows from the one sum.
__global__ void clip_scale_kernel(double limit, const double* total, float* scale) {
  *scale = clip_scale(limit, sqrt(*total));
}

}  // namespace

SumSquaresImpl sum_squares_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const SumSquaresSpec& g) { return device_sum_workspace(g.n); },
          .add =
              [](const Exec& exec, const SumSquaresSpec& g, const float* x, double* total) {
                device_sums<1>("sum_squares", exec, 1, g.n, true, OneTerm<Square>{x}, AddToTotal{total});
              },
          .clip =
              [](const Exec& exec, double limit, const double* total, float* scale) {
                KERN_LAUNCH(clip_scale_kernel, {.grid = 1, .block = 1, .stream = stream_of(exec)}, limit, total, scale);
              }};
}

}  // namespace kern::kernels
