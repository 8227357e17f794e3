#include "kernels/mse.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec& exec, const MseSpec& g, const float* x, const float* t, float* loss) {
  auto square = [](float p, float q) { return (double(p) - double(q)) * (double(p) - double(q)); };
  if (g.x_pitch() == g.c && g.t_pitch() == g.c) {
    *loss = float(sum_flat(exec, g.size(), [=](int64_t i) { return square(x[i], t[i]); }) / double(g.size()));
    return;
  }
  const double sum = sum_rows(exec, g.rows, g.c, [&](int64_t i) {
    const float *p = x + i * g.x_pitch(), *q = t + i * g.t_pitch();
    return lane_sum(g.c, [=](int64_t c) { return square(p[c], q[c]); });
  });
  *loss = float(sum / double(g.size()));
}
void backward(const Exec&, const MseSpec& g, const float* dy, const float* x, const float* t, float* dx) {
  const float f = float(double(*dy) * 2 / double(g.size()));
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *p = x + i * g.x_pitch(), *q = t + i * g.t_pitch();
      float* to = dx + i * g.dx_pitch();
      for (int64_t c = 0; c < g.c; ++c) to[c] = f * (p[c] - q[c]);
    }
  });
}

constexpr MseRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace =
         [](const MseSpec& g) { return std::max(sum_rows_workspace(g.rows, g.c), sum_flat_workspace(g.size())); },
     .forward = forward,
     .backward = backward},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward = [](const Exec&, const MseSpec& g, const float* x, const float* t,
                   float* loss) { mse_forward_reference(g, x, t, loss); },
     .backward = [](const Exec&, const MseSpec& g, const float* dy, const float* x, const float* t,
                    float* dx) { mse_backward_reference(g, dy, x, t, dx); }},
};
constexpr Table<MseRow> kTable{"mse", kRows};

}  // namespace

const Table<MseRow>& mse_table() { return kTable; }
OpInfo mse_info() { return info_of(kTable); }

}  // namespace kern::kernels
