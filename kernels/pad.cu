#include "kernels/common/elementwise.cuh"
#include "kernels/common/places.cuh"
#include "kernels/pad.h"

namespace kern::kernels {
namespace {

// One thread per output value, or four neighbouring channels: each is read and written once.
struct Forward {
  PadSpec g;
  const float* x;
  float* y;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const Place at = place_of(row, int(g.p()), int(g.q()));
    const int64_t h = at.h - g.top, w = at.w - g.left;
    Pack<W> v{};
    if (h >= 0 && h < g.h && w >= 0 && w < g.w) v = load<W>(x + ((at.n * g.h + h) * g.w + w) * g.x_pitch() + c);
    store(y + row * g.y_pitch() + c, v);
  }
};

}  // namespace

PadRow pad_cuda_row() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = [](const Exec& exec, const PadSpec& g, const float* x, float* y) {
            for_each_value("pad_forward", exec, g.y_rows(), g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}}, Forward{g, x, y},
                           false);
          }};
}

}  // namespace kern::kernels
