#include "kernels/softmax.h"

#include "kernels/common/softmax_rows.h"

namespace kern::kernels {
namespace {

void softmax_forward_cpu(const Exec&, const SoftmaxSpec& g, const float* x, float* y) {
  softmax_rows(g.rows, g.c, x, g.x_pitch(), y, g.y_pitch(), [c = g.c](const float*, float* to, float, double sum) {
    const float scale = float(1 / sum);
    for (int64_t j = 0; j < c; ++j) to[j] *= scale;
  });
}
void softmax_backward_cpu(const Exec&, const SoftmaxSpec& g, const float* dy, const float* y, float* dx) {
  const int64_t c = g.c, dyp = g.dy_pitch(), yp = g.y_pitch(), dxp = g.dx_pitch();
  for_each_row_block(g.rows, c, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *d = dy + i * dyp, *p = y + i * yp;
      float* to = dx + i * dxp;
      double dot = 0;
      for (int64_t j = 0; j < c; ++j) dot += double(p[j]) * double(d[j]);
      const float average = float(dot);
      for (int64_t j = 0; j < c; ++j) to[j] = p[j] * (d[j] - average);
    }
  });
}

constexpr SoftmaxRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = softmax_forward_cpu,
     .backward = softmax_backward_cpu},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = [](const Exec&, const SoftmaxSpec& g, const float* x, float* y) { softmax_forward_reference(g, x, y); },
     .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                    float* dx) { softmax_backward_reference(g, dy, y, dx); }},
};
constexpr Table<SoftmaxRow> kTable{"softmax", kRows};

}  // namespace

const Table<SoftmaxRow>& softmax_table() { return kTable; }
OpInfo softmax_info() { return info_of(kTable); }

}  // namespace kern::kernels
