#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/cast.h"

namespace kern::kernels {
namespace {

template <class X, class Y>
struct Cast {  // 6 bytes a value: bound by memory
  const X* x;
  Y* y;
  int64_t x_pitch, y_pitch;
  template <int W>
  __device__ void at(int64_t row, int64_t column) const {
    store(y + row * y_pitch + column, load<W>(x + row * x_pitch + column));
  }
};
template <class X, class Y>
void cast(const Exec& exec, const CastSpec& g, const X* x, Y* y) {
  for_each_value("cast", exec, g.rows, g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}},
                 Cast<X, Y>{x, y, g.x_pitch(), g.y_pitch()});
}

}  // namespace

CastImpl cast_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .narrow = cast<float, Bf16>,
          .widen = cast<Bf16, float>};
}

}  // namespace kern::kernels
