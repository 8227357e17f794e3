#include "kernels/common/elementwise.cuh"
#include "kernels/common/pixel_index.cuh"
#include "kernels/pool/avg_pool.h"

namespace kern::kernels {
namespace {

constexpr int kFloatTerms = 64;  // of a sum; a longer one is kept in double

// One thread per output value, or four neighbouring channels. x comes from memory once, from the cache R S / (stride_h
// stride_w) times.
template <class Sum>
struct Average {
  AvgPoolSpec a;
  const float* x;
  float* y;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PoolSpec& g = a.pool;
    const PixelIndex at = pixel_of(row, g.p(), g.q());
    const PoolSpec::Range rows = g.rows_of(at.h), columns = g.columns_of(at.w);
    const float* image = x + at.n * g.h * g.w * g.x_pitch() + c;
    Sum sum[W] = {};
    for (int h = rows.begin; h < rows.end; ++h)
      for (int w = columns.begin; w < columns.end; ++w) {
        const Pack<W> v = load<W>(image + (int64_t{h} * g.w + w) * g.x_pitch());
#pragma unroll
        for (int i = 0; i < W; ++i) sum[i] += Sum(v.v[i]);
      }
    const Sum scale = 1 / Sum(a.divisor(at.h, at.w));
    Pack<W> mean;
#pragma unroll
    for (int i = 0; i < W; ++i) mean.v[i] = float(sum[i] * scale);
    store(y + row * g.y_pitch() + c, mean);
  }
};
// One thread per input value, or four: it gathers from the windows that hold it.
struct Spread {
  AvgPoolSpec a;
  const float* dy;
  float* dx;
  template <int W>
  __device__ void at(int64_t row, int64_t c) const {
    const PoolSpec& g = a.pool;
    const PixelIndex at = pixel_of(row, g.h, g.w);
    const PoolSpec::Range ps = g.windows_at(at.h), qs = g.windows_at_column(at.w);
    Pack<W> sum{};
    for (int p = ps.begin; p < ps.end; ++p)
      for (int q = qs.begin; q < qs.end; ++q) {
        const float scale = 1 / float(a.divisor(p, q));
        const Pack<W> d = load<W>(dy + ((at.n * g.p() + p) * g.q() + q) * g.dy_pitch() + c);
#pragma unroll
        for (int i = 0; i < W; ++i) sum.v[i] += d.v[i] * scale;
      }
    store(dx + row * g.dx_pitch() + c, sum);
  }
};

}  // namespace

Implementation<AvgPool> AvgPool::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .forward =
              [](const Exec& exec, const Spec& spec, const Forward<float>& a) {
                const PoolSpec& g = spec.pool;
                auto run = [&](const auto& f) {
                  for_each_value("avg_pool_forward", exec, g.y_rows(), g.c, {{a.x, g.x_pitch()}, {a.y, g.y_pitch()}}, f,
                                 false);
                };
                if (int64_t{g.r} * g.s > kFloatTerms) run(Average<double>{spec, a.x, a.y});
                else run(Average<float>{spec, a.x, a.y});
              },
          .backward =
              [](const Exec& exec, const Spec& spec, const Backward<float>& a) {
                const PoolSpec& g = spec.pool;
                for_each_value("avg_pool_backward", exec, g.x_rows(), g.c, {{a.dy, g.dy_pitch()}, {a.dx, g.dx_pitch()}},
                               Spread{spec, a.dy, a.dx}, false);
              }};
}

}  // namespace kern::kernels
