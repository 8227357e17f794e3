#include "kernels/reduce/sum_squares.h"

#include <cmath>

#include "kernels/common/reduce.h"

namespace kern::kernels {
namespace {

void clip_on_host(const Exec&, double limit, const double* total, float* scale) {
  *scale = clip_scale(limit, std::sqrt(*total));
}

constexpr SumSquaresImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = [](const SumSquaresSpec& g) { return sum_flat_workspace(g.n); },
    .add = [](const Exec& exec, const SumSquaresSpec& g, const float* x,
              double* total) { *total += sum_flat(exec, g.n, [x](int64_t i) { return double(x[i]) * double(x[i]); }); },
    .clip = clip_on_host};
constexpr SumSquaresImpl kReference = {.name = "reference",
                                       .device = Device::cpu,
                                       .supports = supports_all,
                                       .workspace = no_workspace,
                                       .add = [](const Exec&, const SumSquaresSpec& g, const float* x,
                                                 double* total) { sum_squares_reference(g, x, total); },
                                       .clip = clip_on_host};

}  // namespace

const Registry<SumSquaresImpl>& sum_squares_registry() {
  static const SumSquaresImpl impls[] = {KERN_CUDA_IMPL(sum_squares_cuda_impl()) kCpu, kReference};
  static const Registry<SumSquaresImpl> registry{"sum_squares", impls};
  return registry;
}
OpInfo sum_squares_info() { return info_of(sum_squares_registry()); }

}  // namespace kern::kernels
