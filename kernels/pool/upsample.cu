#include "kernels/common/elementwise.cuh"
#include "kernels/common/pixel_index.cuh"
#include "kernels/pool/upsample.h"

namespace kern::kernels {
namespace {

// One thread per output value, or four neighbouring channels. x comes from memory once and from the cache up to four
// times a value; positions and weights are computed where they are needed, which costs less than reading them.
template <class T>
struct Forward {
  UpsampleSpec g;
  const T* x;
  T* y;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, g.p, g.q);
    const Tap a = g.row_tap(at.h), b = g.column_tap(at.w);
    const T* image = x + at.n * g.h * g.w * g.x_pitch() + c;
    Pack<W> sum{};
    for (int h = a.i0; h <= a.i1; ++h)
      for (int w = b.i0; w <= b.i1; ++w) {
        const float weight = a.weight(h) * b.weight(w);
        const Pack<W> v = load<W>(image + (int64_t{h} * g.w + w) * g.x_pitch());
#pragma unroll
        for (int i = 0; i < W; ++i) sum.v[i] += weight * v.v[i];
      }
    store(y + row * g.y_pitch() + c, sum);
  }
};

// The first output position that reads input i: a position surely before it, and from there on. Positions never
// decrease, and what rounding does to them is far less than one output position.
template <class TapOf>
__device__ __forceinline__ int first_reader(int i, int out_size, float step, const TapOf& tap) {
  const float before = step > 0 ? (float(i) - 1) / step - 2 : 0;
  int o = before > 0 ? min(int(before), out_size) : 0;
  while (o < out_size && tap(o).i1 < i) ++o;
  return o;
}
// One thread per input value, or four: it gathers from the outputs that read it, dy comes from memory once.
template <class T>
struct Backward {
  UpsampleSpec g;
  const T* dy;
  T* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, g.h, g.w);
    const T* image = dy + at.n * g.p * g.q * g.dy_pitch() + c;
    const int first_p = first_reader(at.h, g.p, g.step(g.h, g.p, g.step_h), [&](int p) { return g.row_tap(p); }),
              first_q = first_reader(at.w, g.q, g.step(g.w, g.q, g.step_w), [&](int q) { return g.column_tap(q); });
    Pack<W> sum{};
    for (int p = first_p; p < g.p; ++p) {
      const Tap a = g.row_tap(p);
      if (a.i0 > at.h) break;
      for (int q = first_q; q < g.q; ++q) {
        const Tap b = g.column_tap(q);
        if (b.i0 > at.w) break;
        const float weight = a.weight(at.h) * b.weight(at.w);
        const Pack<W> d = load<W>(image + (int64_t{p} * g.q + q) * g.dy_pitch());
#pragma unroll
        for (int i = 0; i < W; ++i) sum.v[i] += weight * d.v[i];
      }
    }
    store(dx + row * g.dx_pitch() + c, sum);
  }
};

}  // namespace

template <class T>
UpsampleImplOf<T> upsample_cuda_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = no_workspace,
          .forward =
              [](const Exec& exec, const UpsampleSpec& g, const T* x, T* y) {
                for_each_value("upsample_forward", exec, g.y_rows(), g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}},
                               Forward<T>{g, x, y}, false);
              },
          .backward =
              [](const Exec& exec, const UpsampleSpec& g, const T* dy, T* dx) {
                for_each_value("upsample_backward", exec, g.x_rows(), g.c, {{dy, g.dy_pitch()}, {dx, g.dx_pitch()}},
                               Backward<T>{g, dy, dx}, false);
              }};
}

template UpsampleImplOf<float> upsample_cuda_impl<float>();
template UpsampleImplOf<Bf16> upsample_cuda_impl<Bf16>();

}  // namespace kern::kernels
