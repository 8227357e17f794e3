// For the gate's own test: a loop that loads and stores one float at a time, and one that moves four.
namespace kern::sass::planted {

template <bool kFaulty>
__global__ void scalar_load_kernel(const float* x, float* y, int n) {
  const int step = blockDim.x * gridDim.x, first = blockIdx.x * blockDim.x + threadIdx.x;
#pragma unroll 1
  for (int i = first; i < n; i += step) {
    if constexpr (kFaulty) {
#pragma unroll
      for (int j = 0; j < 4; ++j) y[i * 4 + j] = 2 * x[i * 4 + j];
    } else {
      const float4 v = reinterpret_cast<const float4*>(x)[i];
      reinterpret_cast<float4*>(y)[i] = make_float4(2 * v.x, 2 * v.y, 2 * v.z, 2 * v.w);
    }
  }
}
template __global__ void scalar_load_kernel<true>(const float*, float*, int);
template __global__ void scalar_load_kernel<false>(const float*, float*, int);

}  // namespace kern::sass::planted
