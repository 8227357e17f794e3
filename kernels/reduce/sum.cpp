#include "kernels/reduce/sum.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec& exec, const SumSpec& g, const Sum::Forward<float>& a) {
  const float* const x = a.x;
  const bool flat = g.x_pitch() == g.c;
  const double sum = flat ? sum_flat(exec, g.rows * g.c, [x](int64_t i) { return x[i]; })
                          : sum_rows(exec, g.rows, g.c, [&](int64_t i) {
                              const float* p = x + i * g.x_pitch();
                              return lane_sum(g.c, [p](int64_t c) { return p[c]; });
                            });
  *a.y = float(sum * g.scale);
}
void backward(const Exec&, const SumSpec& g, const Sum::Backward<float>& a) {
  const float v = float(double(*a.dy) * g.scale);
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::fill_n(a.dx + i * g.dx_pitch(), g.c, v);
  });
}

constexpr Implementation<Sum> kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace =
        [](const SumSpec& g) { return std::max(sum_flat_workspace(g.rows * g.c), sum_rows_workspace(g.rows, g.c)); },
    .forward = forward,
    .backward = backward};

}  // namespace

const Registry<Implementation<Sum>>& Sum::registry() {
  static const Implementation<Sum> impls[] = {KERN_CUDA_IMPL(cuda()) kCpu, reference_implementation<Sum>()};
  static const Registry<Implementation<Sum>> registry{kName, impls};
  return registry;
}
OpInfo sum_info() { return info_of(Sum::registry()); }

}  // namespace kern::kernels
