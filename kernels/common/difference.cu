// largest_difference on a GPU: a block for each chunk of the values, 8 bytes a value read once: bound by memory.
#include "kernels/common/block.cuh"
#include "kernels/common/difference.h"
#include "kernels/common/elementwise.cuh"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    largest_differences_kernel(RowsOfValues<T> a, RowsOfValues<T> b, Difference* parts) {
  const Greater greater;
  const int64_t n = a.rows * a.c;
  float largest = 0, scale = 0;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < n; i += int64_t{kThreads} * gridDim.x) {
    const int64_t row = i / a.c, column = i - row * a.c;
    const float x = load<1>(a.p + row * a.pitch + column).v[0], y = load<1>(b.p + row * b.pitch + column).v[0];
    largest = greater(fabsf(x - y), largest);
    scale = greater(fabsf(y), scale);
  }
  largest = block_fold<kThreads, Greater>(largest);
  scale = block_fold<kThreads, Greater>(scale);
  if (threadIdx.x == 0) parts[blockIdx.x] = {largest, scale};
}

}  // namespace

template <class T>
void largest_differences_cuda(const Exec& exec, const RowsOfValues<T>& a, const RowsOfValues<T>& b, Difference* parts) {
  KERN_LAUNCH(largest_differences_kernel<T>,
              {.grid = unsigned(difference_parts(a.rows * a.c)), .block = kThreads, .stream = stream_of(exec)}, a, b,
              parts);
}
template void largest_differences_cuda(const Exec&, const RowsOfValues<float>&, const RowsOfValues<float>&,
                                       Difference*);
template void largest_differences_cuda(const Exec&, const RowsOfValues<Bf16>&, const RowsOfValues<Bf16>&, Difference*);

}  // namespace kern::kernels
