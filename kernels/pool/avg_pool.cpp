#include "kernels/pool/avg_pool.h"

#include "kernels/common/isa.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr int kWidth = 64;       // channels at a time
constexpr int kFloatTerms = 64;  // of a sum; a longer one is kept in double

int64_t rows_per_chunk(const PoolSpec& g, int columns) {
  return std::max<int64_t>(1, 16384 / std::max(1, columns * g.c));
}

// to[c] = scale * sum of the values of the rows and columns from `from` on
template <class Sum>
KERN_INLINE void average(const PoolSpec& g, const float* from, PoolSpec::Range rows, PoolSpec::Range columns,
                         float scale, float* to) {
  const int64_t pitch = g.x_pitch();
  for (int first = 0; first < g.c; first += kWidth) {
    const int count = std::min(kWidth, g.c - first);
    Sum sum[kWidth];
    std::fill_n(sum, count, Sum(0));
    for (int h = rows.begin; h < rows.end; ++h)
      for (int w = columns.begin; w < columns.end; ++w) {
        const float* v = from + (int64_t{h} * g.w + w) * pitch + first;
        for (int c = 0; c < count; ++c) sum[c] += Sum(v[c]);
      }
    for (int c = 0; c < count; ++c) to[first + c] = float(sum[c] * Sum(scale));
  }
}

// A chunk is some of the output's rows (n, p).
template <Isa isa>
void forward(const Exec&, const AvgPoolSpec& a, const AvgPool::Forward<float>& arrays) {
  const PoolSpec& g = a.pool;
  const float* const x = arrays.x;
  float* const y = arrays.y;
  const int P = g.p(), Q = g.q();
  const bool large = int64_t{g.r} * g.s > kFloatTerms;
  parallel_for(int64_t{g.n} * P, rows_per_chunk(g, Q), [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t row = begin; row < end; ++row) {
        const int p = int(row % P);
        const float* image = x + row / P * g.h * g.w * g.x_pitch();
        const auto scale = [&](int pi, int q) { return 1 / float(a.divisor(pi, q)); };
        for (int q = 0; q < Q; ++q)
          if (large)
            average<double>(g, image, g.rows_of(p), g.columns_of(q), scale(p, q), y + (row * Q + q) * g.y_pitch());
          else average<float>(g, image, g.rows_of(p), g.columns_of(q), scale(p, q), y + (row * Q + q) * g.y_pitch());
      }
    });
  });
}

// A chunk is some of the input's rows (n, h): every position gathers from the windows that hold it.
template <Isa isa>
void backward(const Exec&, const AvgPoolSpec& a, const AvgPool::Backward<float>& arrays) {
  const PoolSpec& g = a.pool;
  const float* const dy = arrays.dy;
  float* const dx = arrays.dx;
  const int P = g.p(), Q = g.q();
  const int64_t dyp = g.dy_pitch(), dxp = g.dx_pitch();
  parallel_for(int64_t{g.n} * g.h, rows_per_chunk(g, g.w), [&](int64_t begin, int64_t end) {
    on_isa<isa>([&] {
      for (int64_t row = begin; row < end; ++row) {
        const auto ps = g.windows_at(int(row % g.h));
        for (int w = 0; w < g.w; ++w) {
          const auto qs = g.windows_at_column(w);
          float* to = dx + (row * g.w + w) * dxp;
          bool first = true;
          for (int p = ps.begin; p < ps.end; ++p)
            for (int q = qs.begin; q < qs.end; ++q, first = false) {
              const float* from = dy + ((row / g.h * P + p) * Q + q) * dyp;
              const float scale = 1 / float(a.divisor(p, q));
              if (first)
                for (int c = 0; c < g.c; ++c) to[c] = from[c] * scale;
              else
                for (int c = 0; c < g.c; ++c) to[c] += from[c] * scale;
            }
          if (first) std::fill_n(to, g.c, 0.0f);  // between windows
        }
      }
    });
  });
}

template <Isa isa>
constexpr Implementation<AvgPool> simd() {
  return {.name = isa_name(isa),
          .device = Device::cpu,
          .supports = supports_on<isa>,
          .forward = forward<isa>,
          .backward = backward<isa>};
}

}  // namespace

const Registry<Implementation<AvgPool>>& AvgPool::registry() {
  static const Implementation<AvgPool> impls[] = {KERN_CUDA_IMPL(cuda()) KERN_SIMD_IMPLS(simd),
                                                  reference_implementation<AvgPool>()};
  static const Registry<Implementation<AvgPool>> registry{kName, impls};
  return registry;
}
OpInfo avg_pool_info() { return info_of(AvgPool::registry()); }

}  // namespace kern::kernels
