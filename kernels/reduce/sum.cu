// sum on the GPU: 4 bytes a value in either direction. Bound by memory.
#include "kernels/common/sum.cuh"
#include "kernels/reduce/sum.h"

namespace kern::kernels {
namespace {

struct SumValue {
  const float* x;
  int64_t pitch;
  __device__ float operator()(int64_t row, int64_t column) const { return x[row * pitch + column]; }
};
struct SumBackward {
  const float* dy;
  double scale;
  float* dx;
  int64_t pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    const float value = float(double(*dy) * scale);
    Pack<W> v;
#pragma unroll
    for (int i = 0; i < W; ++i) v.v[i] = value;
    store(dx + row * pitch + column, v);
  }
};

}  // namespace

SumImpl sum_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const SumSpec& g) { return device_sum_workspace(g.rows * g.c); },
          .forward =
              [](const Exec& exec, const SumSpec& g, const float* x, float* y) {
                device_sum("sum forward", exec, g.rows, g.c, g.x_pitch() == g.c, SumValue{x, g.x_pitch()}, y, g.scale);
              },
          .backward =
              [](const Exec& exec, const SumSpec& g, const float* dy, float* dx) {
                for_each_value("sum backward", exec, g.rows, g.c, {{dx, g.dx_pitch()}},
                               SumBackward{dy, g.scale, dx, g.dx_pitch()});
              }};
}

}  // namespace kern::kernels
