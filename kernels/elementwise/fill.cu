#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/fill.h"

namespace kern::kernels {
namespace {

struct Fill {  // writes 4 bytes a value
  float value;
  float* y;
  int64_t y_pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    Pack<W> v;
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = value;
    store(y + row * y_pitch + column, v);
  }
};

}  // namespace

FillImpl fill_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = [](const Exec& exec, const FillSpec& g, float value, float* y) {
            for_each_value("fill", exec, g.rows, g.c, {{y, g.y_pitch()}}, Fill{value, y, g.y_pitch()});
          }};
}

}  // namespace kern::kernels
