// For the gate's own test: sums that one thread in 64 registers cannot hold are put into memory; fewer are not.
namespace kern::sass::planted {

template <int kSums>
__device__ void add_columns(const float* x, float* y, int rows) {
  float sum[kSums] = {};
  for (int row = 0; row < rows; ++row)
#pragma unroll
    for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * x[row] + x[(i + 1) * rows + row];
#pragma unroll
  for (int i = 0; i < kSums; ++i) y[i * 1024 + threadIdx.x] = sum[i];
}
template <bool kFaulty>
__global__ void __launch_bounds__(1024) spill_kernel(const float* x, float* y, int rows) {
  add_columns<kFaulty ? 96 : 16>(x, y, rows);
}
template __global__ void spill_kernel<true>(const float*, float*, int);
template __global__ void spill_kernel<false>(const float*, float*, int);

}  // namespace kern::sass::planted
