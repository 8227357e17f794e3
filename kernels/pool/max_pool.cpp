#include "kernels/pool/max_pool.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr int kWidth = 64;  // channels at a time

int64_t rows_per_chunk(const MaxPoolSpec& g, int columns) {
  return std::max<int64_t>(1, 16384 / std::max(1, columns * g.c));
}

// A chunk is some of the output's rows (n, p).
void forward(const Exec&, const MaxPoolSpec& g, const float* x, float* y) {
  const int P = g.p(), Q = g.q();
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  parallel_for(int64_t{g.n} * P, rows_per_chunk(g, Q), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto rows = g.rows_of(int(row % P));
      const float* image = x + row / P * g.h * g.w * xp;
      for (int q = 0; q < Q; ++q) {
        const auto columns = g.columns_of(q);
        float* to = y + (row * Q + q) * yp;
        std::copy_n(image + (int64_t{rows.begin} * g.w + columns.begin) * xp, g.c, to);
        for (int h = rows.begin; h < rows.end; ++h)
          for (int w = columns.begin; w < columns.end; ++w) {
            const float* from = image + (int64_t{h} * g.w + w) * xp;
            for (int c = 0; c < g.c; ++c) to[c] = ((from[c] > to[c]) | (from[c] != from[c])) ? from[c] : to[c];
          }
      }
    }
  });
}

// dx of the input's rows [first, last) of image n: every window that reaches into them finds its maximum once and adds
// dy where that lies in these rows.
void backward_band(const MaxPoolSpec& g, const float* dy, const float* x, float* dx, int64_t n, int first, int last) {
  const int P = g.p(), Q = g.q();
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  const float* image = x + n * g.h * g.w * xp;
  float* gradient = dx + n * g.h * g.w * dxp;
  for (int64_t i = int64_t{first} * g.w; i < int64_t{last} * g.w; ++i) std::fill_n(gradient + i * dxp, g.c, 0.0f);
  for (int p = g.windows_at(first).begin; p < g.windows_at(last - 1).end; ++p)
    for (int q = 0; q < Q; ++q) {
      const auto rows = g.rows_of(p), columns = g.columns_of(q);
      const float* from = dy + ((n * P + p) * Q + q) * dyp;
      for (int channel = 0; channel < g.c; channel += kWidth) {
        const int count = std::min(kWidth, g.c - channel);
        const auto values = [&](int h, int w) { return image + (int64_t{h} * g.w + w) * xp + channel; };
        float best[kWidth], rest[kWidth];  // rest: what of dy has not found its place
        std::copy_n(values(rows.begin, columns.begin), count, best);
        std::copy_n(from + channel, count, rest);
        for (int h = rows.begin; h < rows.end; ++h)
          for (int w = columns.begin; w < columns.end; ++w) {
            const float* v = values(h, w);
            for (int c = 0; c < count; ++c) best[c] = ((v[c] > best[c]) | (v[c] != v[c])) ? v[c] : best[c];
          }
        for (int h = rows.begin; h < std::min(rows.end, last); ++h)
          for (int w = columns.begin; w < columns.end; ++w) {
            const float* v = values(h, w);
            float* to = gradient + (int64_t{h} * g.w + w) * dxp + channel;
            if (h < first) {  // another band's row: only whether the maximum was there
              for (int c = 0; c < count; ++c) rest[c] = ((v[c] == best[c]) | (v[c] != v[c])) ? 0.0f : rest[c];
              continue;
            }
            for (int c = 0; c < count; ++c) {
              const bool here = (v[c] == best[c]) | (v[c] != v[c]);
              to[c] += here ? rest[c] : 0.0f;
              rest[c] = here ? 0.0f : rest[c];
            }
          }
      }
    }
}

// A chunk is a band of the input's rows, and nobody else writes there. Bands begin where windows begin, so that windows
// that do not overlap belong to one band each.
void backward(const Exec&, const MaxPoolSpec& g, const float* dy, const float* x, float* dx) {
  const int64_t band = ceil_div(rows_per_chunk(g, g.w), g.stride_h) * g.stride_h,
                bands = ceil_div(int64_t{g.h} + g.pad_top, band);
  parallel_for(g.n * bands, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = std::max<int64_t>(0, i % bands * band - g.pad_top),
                    last = std::min<int64_t>(g.h, (i % bands + 1) * band - g.pad_top);
      if (first < last) backward_band(g, dy, x, dx, i / bands, int(first), int(last));
    }
  });
}

}  // namespace

template <>
const Registry<MaxPoolImpl>& max_pool_registry<float>() {
  static const MaxPoolImpl impls[] = {
      KERN_CUDA_IMPL(max_pool_cuda_impl<float>())
          KERN_SIMD_IMPLS(max_pool_simd_impl),  // "avx512", "avx2", "simd": 2x2, stride 2
      {.name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward, .backward = backward},
      {.name = "reference",
       .device = Device::cpu,
       .supports = supports_all,
       .forward = [](const Exec&, const MaxPoolSpec& g, const float* x,
                     float* y) { max_pool_forward_reference(g, x, y); },
       .backward = [](const Exec&, const MaxPoolSpec& g, const float* dy, const float* x,
                      float* dx) { max_pool_backward_reference(g, dy, x, dx); }},
  };
  static const Registry<MaxPoolImpl> registry{"max_pool", impls};
  return registry;
}
template <>
const Registry<MaxPoolImplOf<Bf16>>& max_pool_registry<Bf16>() {
  static const std::vector<MaxPoolImplOf<Bf16>> impls{KERN_CUDA_IMPL(max_pool_cuda_impl<Bf16>())};
  static const Registry<MaxPoolImplOf<Bf16>> registry{"max_pool", impls};
  return registry;
}
OpInfo max_pool_info() { return info_of(max_pool_registry(), max_pool_registry<Bf16>()); }

}  // namespace kern::kernels
