#include "kernels/common/elementwise.cuh"
#include "kernels/common/pixel_index.cuh"
#include "kernels/pool/max_pool.h"

namespace kern::kernels {
namespace {

// One thread per output value, or four neighbouring channels. x is read R S / (stride_h stride_w) times, but from
// memory once: neighbours in the image are in the cache. 2 x 2 at stride 2 is bound by memory.
template <class T>
struct Forward {
  MaxPoolSpec g;
  const T* x;
  T* y;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, g.p(), g.q());
    const PoolSpec::Range rows = g.rows_of(at.h), columns = g.columns_of(at.w);
    const T* image = x + at.n * g.h * g.w * g.x_pitch() + c;
    Pack<W> best = load<W>(image + (int64_t{rows.begin} * g.w + columns.begin) * g.x_pitch());
    for (int h = rows.begin; h < rows.end; ++h)
      for (int w = columns.begin; w < columns.end; ++w) {
        const Pack<W> v = load<W>(image + (int64_t{h} * g.w + w) * g.x_pitch());
#pragma unroll
        for (int i = 0; i < W; ++i) best.v[i] = beats(v.v[i], best.v[i]) ? v.v[i] : best.v[i];
      }
    store(y + row * g.y_pitch() + c, best);
  }
};
// One thread per input value, or four: it looks through the windows that hold it, and takes the gradient of those whose
// first maximum it is. For windows side by side that is R S values from the cache for each from memory.
template <class T>
struct Backward {
  MaxPoolSpec g;
  const T *dy, *x;
  T* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PixelIndex at = pixel_of(row, g.h, g.w);
    const T* image = x + at.n * g.h * g.w * g.x_pitch() + c;
    const Pack<W> mine = load<W>(image + (int64_t{at.h} * g.w + at.w) * g.x_pitch());
    const PoolSpec::Range ps = g.windows_at(at.h), qs = g.windows_at_column(at.w);
    Pack<W> sum{};
    for (int p = ps.begin; p < ps.end; ++p)
      for (int q = qs.begin; q < qs.end; ++q) {
        const PoolSpec::Range rows = g.rows_of(p), columns = g.columns_of(q);
        bool wins[W];
#pragma unroll
        for (int i = 0; i < W; ++i) wins[i] = true;
        for (int h = rows.begin; h < rows.end; ++h)
          for (int w = columns.begin; w < columns.end; ++w) {
            if (h == at.h && w == at.w) continue;
            const Pack<W> v = load<W>(image + (int64_t{h} * g.w + w) * g.x_pitch());
            const bool earlier = h < at.h || (h == at.h && w < at.w);
#pragma unroll
            for (int i = 0; i < W; ++i)
              wins[i] = wins[i] && (earlier ? beats(mine.v[i], v.v[i]) : !beats(v.v[i], mine.v[i]));
          }
        const Pack<W> d = load<W>(dy + ((at.n * g.p() + p) * g.q() + q) * g.dy_pitch() + c);
#pragma unroll
        for (int i = 0; i < W; ++i) sum.v[i] += wins[i] ? d.v[i] : 0;
      }
    store(dx + row * g.dx_pitch() + c, sum);
  }
};

}  // namespace

template <class T>
MaxPoolImplOf<T> max_pool_cuda_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const MaxPoolSpec& g, const T* x, T* y) {
                for_each_value("max_pool_forward", exec, g.y_rows(), g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}},
                               Forward<T>{g, x, y}, false);
              },
          .backward =
              [](const Exec& exec, const MaxPoolSpec& g, const T* dy, const T* x, T* dx) {
                for_each_value("max_pool_backward", exec, g.x_rows(), g.c,
                               {{dy, g.dy_pitch()}, {x, g.x_pitch()}, {dx, g.dx_pitch()}}, Backward<T>{g, dy, x, dx},
                               false);
              }};
}

template MaxPoolImplOf<float> max_pool_cuda_impl<float>();
template MaxPoolImplOf<Bf16> max_pool_cuda_impl<Bf16>();

}  // namespace kern::kernels
