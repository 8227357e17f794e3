// The bias behind a convolution that a library did. Reads and writes y once, 8 bytes a value, 4 of bf16: bound by
// memory.
#include "kernels/common/elementwise.cuh"
#include "kernels/conv/conv2d_cudnn.h"

namespace kern::kernels {
namespace {

template <class T>
struct AddBias {
  const float* b;
  T* y;
  int64_t pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    T* to = y + row * pitch + column;
    Pack<W> v = load<W>(to);
    for (int i = 0; i < W; ++i) v.v[i] += b[column + i];
    store(to, v);
  }
};

}  // namespace

template <class T>
void add_bias_cuda(const Exec& exec, int64_t rows, int k, int64_t pitch, const float* b, T* y) {
  for_each_value("conv2d bias", exec, rows, k, {{y, pitch}}, AddBias<T>{b, y, pitch}, false);
}
template void add_bias_cuda(const Exec&, int64_t, int, int64_t, const float*, float*);
template void add_bias_cuda(const Exec&, int64_t, int, int64_t, const float*, Bf16*);

}  // namespace kern::kernels
