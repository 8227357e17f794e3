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

Implementation<Sum> Sum::cuda() {
  return {
      .name = "cuda",
      .device = Device::cuda,
      .supports = supports_all,
      .workspace = [](const SumSpec& g) { return device_sum_workspace(g.rows * g.c); },
      .forward =
          [](const Exec& exec, const Spec& g, const Forward<float>& a) {
            device_sum("sum forward", exec, g.rows, g.c, g.x_pitch() == g.c, SumValue{a.x, g.x_pitch()}, a.y, g.scale);
          },
      .backward =
          [](const Exec& exec, const Spec& g, const Backward<float>& a) {
            for_each_value("sum backward", exec, g.rows, g.c, {{a.dx, g.dx_pitch()}},
                           SumBackward{a.dy, g.scale, a.dx, g.dx_pitch()});
          }};
}

}  // namespace kern::kernels
