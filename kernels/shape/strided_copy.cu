// strided_copy on the GPU: a thread for each value of y, or four neighbours. 8 bytes a value; bound by memory where
// neighbours of y are neighbours in x, by sectors of it that are read for one value elsewhere.
#include "kernels/common/elementwise.cuh"
#include "kernels/shape/strided_copy.h"

namespace kern::kernels {
namespace {

template <class Index>
struct Copy {
  StridedCopySpec g;
  const float* x;
  float* y;
  template <int W>
  __device__ void at(int64_t, int64_t column) const {
    Pack<W> v;
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = x[g.offset + offsets_of(Index(column + i), g.sizes, g.strides())[0]];
    store(y + column, v);
  }
};

}  // namespace

StridedCopyImpl strided_copy_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = [](const Exec& exec, const StridedCopySpec& g, const float* x, float* y) {
            const int64_t n = g.size();
            if (n < (int64_t{1} << 31)) for_each_value("strided_copy", exec, 1, n, {{y, n}}, Copy<uint32_t>{g, x, y});
            else for_each_value("strided_copy", exec, 1, n, {{y, n}}, Copy<int64_t>{g, x, y});
          }};
}

}  // namespace kern::kernels
