#include "kernels/common/elementwise.cuh"
#include "kernels/common/pixel_index.cuh"
#include "kernels/shape/pad.h"

namespace kern::kernels {
namespace {

// One thread per output value, or four neighbouring channels: each is read and written once.
struct Forward {
  PadSpec g;
  const float* x;
  float* y;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, int(g.p()), int(g.q()));
    int64_t h = at.h - g.top, w = at.w - g.left;
    if (g.mirror && g.h > 0 && g.w > 0) h = mirrored(h, g.h), w = mirrored(w, g.w);
    Pack<W> v{};
    if (h >= 0 && h < g.h && w >= 0 && w < g.w) v = load<W>(x + ((at.n * g.h + h) * g.w + w) * g.x_pitch() + c);
    store(y + row * g.y_pitch() + c, v);
  }
};

// One thread per value of dx, or four neighbouring channels; every value of dy is read once.
struct BackwardMirror {
  PadSpec g;
  const float* dy;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, int(g.h), int(g.w));
    Pack<W> sum{};
    MirrorImages{at.h, g.h, -g.top, g.p() - g.top}.for_each([&](int64_t p) {
      const float* line = dy + (at.n * g.p() + p + g.top) * g.q() * g.dy_pitch() + c;
      MirrorImages{at.w, g.w, -g.left, g.q() - g.left}.for_each([&](int64_t q) {
        const Pack<W> v = load<W>(line + (q + g.left) * g.dy_pitch());
        for (int i = 0; i < W; ++i) sum.v[i] += v.v[i];
      });
    });
    store(dx + row * g.dx_pitch() + c, sum);
  }
};

void forward(const Exec& exec, const PadSpec& g, const Pad::Forward<float>& a) {
  for_each_value("pad_forward", exec, g.y_rows(), g.c, {{a.x, g.x_pitch()}, {a.y, g.y_pitch()}}, Forward{g, a.x, a.y},
                 false);
}
void backward(const Exec& exec, const PadSpec& g, const Pad::Backward<float>& a) {
  if (!g.mirror) return forward(exec, g.backward_as_forward(), {a.dy, a.dx});
  for_each_value("pad_backward_mirror", exec, g.x_rows(), g.c, {{a.dy, g.dy_pitch()}, {a.dx, g.dx_pitch()}},
                 BackwardMirror{g, a.dy, a.dx}, false);
}

}  // namespace

Implementation<Pad> Pad::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward = kernels::forward,
          .backward = kernels::backward};
}

}  // namespace kern::kernels
