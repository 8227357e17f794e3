#include "kernels/max_pool.h"

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

// A chunk is some of the input's rows (n, h), and nobody else writes there: every window
// that reaches into the row finds its maximum and adds dy where that lies in this row.
void backward(const Exec&, const MaxPoolSpec& g, const float* dy, const float* x, float* dx) {
  const int P = g.p(), Q = g.q();
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  parallel_for(int64_t{g.n} * g.h, rows_per_chunk(g, g.w), [&](int64_t begin, int64_t end) {
    float best[kWidth];
    int32_t at[kWidth];
    for (int64_t row = begin; row < end; ++row) {
      const int h = int(row % g.h);
      const int64_t n = row / g.h;
      const float* image = x + n * g.h * g.w * xp;
      float* to = dx + row * g.w * dxp;
      for (int w = 0; w < g.w; ++w) std::fill_n(to + w * dxp, g.c, 0.0f);
      const auto windows = g.windows_at(h);
      for (int p = windows.begin; p < windows.end; ++p) {
        const auto rows = g.rows_of(p);
        for (int q = 0; q < Q; ++q) {
          const auto columns = g.columns_of(q);
          const float* from = dy + ((n * P + p) * Q + q) * dyp;
          for (int first = 0; first < g.c; first += kWidth) {
            const int count = std::min(kWidth, g.c - first);
            int32_t here = rows.begin * g.w + columns.begin;
            for (int c = 0; c < count; ++c) best[c] = image[here * xp + first + c], at[c] = here;
            for (int i = rows.begin; i < rows.end; ++i)
              for (int j = columns.begin; j < columns.end; ++j) {
                here = i * g.w + j;
                const float* v = image + here * xp + first;
                for (int c = 0; c < count; ++c) {
                  const bool wins = !(v[c] <= best[c]) & (best[c] == best[c]);
                  best[c] = wins ? v[c] : best[c];
                  at[c] = wins ? here : at[c];
                }
              }
            for (int w = columns.begin; w < columns.end; ++w) {
              const int32_t mine = h * g.w + w;
              float* d = to + w * dxp + first;
              for (int c = 0; c < count; ++c) d[c] += at[c] == mine ? from[first + c] : 0.0f;
            }
          }
        }
      }
    }
  });
}

constexpr MaxPoolRow kRows[] = {
    {.name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward, .backward = backward},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = [](const Exec&, const MaxPoolSpec& g, const float* x,
                   float* y) { max_pool_forward_reference(g, x, y); },
     .backward = [](const Exec&, const MaxPoolSpec& g, const float* dy, const float* x,
                    float* dx) { max_pool_backward_reference(g, dy, x, dx); }},
};
constexpr Table<MaxPoolRow> kTable{"max_pool", kRows};

}  // namespace

const Table<MaxPoolRow>& max_pool_table() { return kTable; }
OpInfo max_pool_info() { return info_of(kTable); }

}  // namespace kern::kernels
