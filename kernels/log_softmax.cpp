#include "kernels/log_softmax.h"

#include "kernels/common/softmax_rows.h"

namespace kern::kernels {
namespace {

void log_softmax_forward_cpu(const Exec&, const SoftmaxSpec& g, const float* x, float* y) {
  softmax_rows(g.rows, g.c, x, g.x_pitch(), y, g.y_pitch(),
               [c = g.c](const float* from, float* to, float max, double sum) {
                 const float log_sum = float(std::log(sum));
                 for (int64_t j = 0; j < c; ++j) to[j] = from[j] - max - log_sum;
               });
}
void log_softmax_backward_cpu(const Exec&, const SoftmaxSpec& g, const float* dy, const float* y, float* dx) {
  const int64_t c = g.c, dyp = g.dy_pitch(), yp = g.y_pitch(), dxp = g.dx_pitch();
  for_each_row_block(g.rows, c, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::copy_n(y + i * yp, c, dx + i * dxp);
    exponentials(dx, dxp, begin, end, c);
    for (int64_t i = begin; i < end; ++i) {
      const float* d = dy + i * dyp;
      float* to = dx + i * dxp;
      double sum = 0;
      for (int64_t j = 0; j < c; ++j) sum += double(d[j]);
      const float total = float(sum);
      for (int64_t j = 0; j < c; ++j) to[j] = d[j] - to[j] * total;
    }
  });
}

constexpr LogSoftmaxRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = log_softmax_forward_cpu,
     .backward = log_softmax_backward_cpu},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .forward = [](const Exec&, const SoftmaxSpec& g, const float* x,
                   float* y) { log_softmax_forward_reference(g, x, y); },
     .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                    float* dx) { log_softmax_backward_reference(g, dy, y, dx); }},
};
constexpr Table<LogSoftmaxRow> kTable{"log_softmax", kRows};

}  // namespace

const Table<LogSoftmaxRow>& log_softmax_table() { return kTable; }
OpInfo log_softmax_info() { return info_of(kTable); }

}  // namespace kern::kernels
