// For the gate's own test: a loop that finds the row of every element by a division, and one that counts rows. With a
// divisor that changes, of 64 bits, and with one that does not, whose reciprocal is made before the loop.
namespace kern::sass::planted {

enum class Divisor { changes, stays, is_long };

template <Divisor kDivisor, bool kFaulty>
__global__ void division_kernel(const float* x, const int* widths, float* y, long n, int width) {
  float sum = 0;
  long row = 0, column = 0;
#pragma unroll 1
  for (long i = 0; i < n; ++i) {
    if constexpr (!kFaulty) {
      sum += x[row * 4 + column];
      if (++column == width) column = 0, ++row;
    } else if constexpr (kDivisor == Divisor::changes) {
      sum += x[int(i) / widths[i]];
    } else if constexpr (kDivisor == Divisor::stays) {
      sum += x[int(i) / width];
    } else {
      sum += x[i / (width + n)];
    }
  }
  y[threadIdx.x] = sum;
}
template __global__ void division_kernel<Divisor::changes, true>(const float*, const int*, float*, long, int);
template __global__ void division_kernel<Divisor::stays, true>(const float*, const int*, float*, long, int);
template __global__ void division_kernel<Divisor::is_long, true>(const float*, const int*, float*, long, int);
template __global__ void division_kernel<Divisor::changes, false>(const float*, const int*, float*, long, int);

}  // namespace kern::sass::planted
