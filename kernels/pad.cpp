#include "kernels/pad.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void zero(float* y, int64_t rows, int64_t c, int64_t pitch) {
  if (pitch == c) std::fill_n(y, rows * c, 0.0f);
  else
    for (int64_t i = 0; i < rows; ++i) std::fill_n(y + i * pitch, c, 0.0f);
}
void copy(const float* x, int64_t x_pitch, float* y, int64_t y_pitch, int64_t rows, int64_t c) {
  if (x_pitch == c && y_pitch == c) std::copy_n(x, rows * c, y);
  else
    for (int64_t i = 0; i < rows; ++i) std::copy_n(x + i * x_pitch, c, y + i * y_pitch);
}

// A chunk is some of the output's rows (n, p); each is zeros, a copy, zeros.
void forward(const Exec&, const PadSpec& g, const float* x, float* y) {
  const int64_t P = g.p(), Q = g.q(), xp = g.x_pitch(), yp = g.y_pitch();
  const int64_t first = std::clamp<int64_t>(g.left, 0, Q), last = std::clamp<int64_t>(g.left + g.w, first, Q);
  parallel_for(g.n * P, Chunks(g.n * P, Q * g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* to = y + row * Q * yp;
      const int64_t h = row % P - g.top;
      if (h < 0 || h >= g.h || first == last) {
        zero(to, Q, g.c, yp);
        continue;
      }
      zero(to, first, g.c, yp);
      copy(x + ((row / P * g.h + h) * g.w + first - g.left) * xp, xp, to + first * yp, yp, last - first, g.c);
      zero(to + last * yp, Q - last, g.c, yp);
    }
  });
}

}  // namespace

const Table<PadRow>& pad_table() {
  static const PadRow rows[] = {
      KERN_CUDA_ROW(pad_cuda_row())  // pad.cu
      {.name = "cpu", .device = Device::cpu, .supports = supports_all, .forward = forward},
      {.name = "reference",
       .device = Device::cpu,
       .supports = supports_all,
       .forward = [](const Exec&, const PadSpec& g, const float* x, float* y) { pad_reference(g, x, y); }},
  };
  static const Table<PadRow> table{"pad", rows};
  return table;
}
OpInfo pad_info() { return info_of(pad_table()); }

}  // namespace kern::kernels
