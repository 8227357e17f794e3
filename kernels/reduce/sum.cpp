#include "kernels/reduce/sum.h"

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void forward(const Exec& exec, const SumSpec& g, const float* x, float* y) {
  const bool flat = g.x_pitch() == g.c;
  const double sum = flat ? sum_flat(exec, g.rows * g.c, [x](int64_t i) { return x[i]; })
                          : sum_rows(exec, g.rows, g.c, [&](int64_t i) {
                              const float* p = x + i * g.x_pitch();
                              return lane_sum(g.c, [p](int64_t c) { return p[c]; });
                            });
  *y = float(sum * g.scale);
}
void backward(const Exec&, const SumSpec& g, const float* dy, float* dx) {
  const float v = float(double(*dy) * g.scale);
  parallel_for(g.rows, Chunks(g.rows, g.c).grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::fill_n(dx + i * g.dx_pitch(), g.c, v);
  });
}

constexpr SumImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace =
        [](const SumSpec& g) { return std::max(sum_flat_workspace(g.rows * g.c), sum_rows_workspace(g.rows, g.c)); },
    .forward = forward,
    .backward = backward};
constexpr SumImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const SumSpec& g, const float* x, float* y) { sum_forward_reference(g, x, y); },
    .backward = [](const Exec&, const SumSpec& g, const float* dy, float* dx) { sum_backward_reference(g, dy, dx); }};

}  // namespace

const Registry<SumImpl>& sum_registry() {
  static const SumImpl impls[] = {KERN_CUDA_IMPL(sum_cuda_impl()) kCpu, kReference};
  static const Registry<SumImpl> registry{"sum", impls};
  return registry;
}
OpInfo sum_info() { return info_of(sum_registry()); }

}  // namespace kern::kernels
