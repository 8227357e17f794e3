#include "kernels/elementwise/fill.h"

#include <algorithm>

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr FillImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const FillSpec& g, float value, float* y) { fill_forward_reference(g, value, y); }};

constexpr FillImpl kCpu = {.name = "cpu",
                           .device = Device::cpu,
                           .supports = supports_all,
                           .forward = [](const Exec&, const FillSpec& g, float value, float* y) {
                             const bool dense = g.y_pitch() == g.c;
                             const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, g.c));
                             parallel_for(g.rows, grain, [=, &g](int64_t begin, int64_t end) {
                               if (dense) std::fill_n(y + begin * g.c, (end - begin) * g.c, value);
                               else
                                 for (int64_t i = begin; i < end; ++i) std::fill_n(y + i * g.y_pitch(), g.c, value);
                             });
                           }};

}  // namespace

const Registry<FillImpl>& fill_registry() {
  static const FillImpl impls[] = {KERN_CUDA_IMPL(fill_cuda_impl()) kCpu, kReference};
  static const Registry<FillImpl> registry{"fill", impls};
  return registry;
}
OpInfo fill_info() { return info_of(fill_registry()); }

}  // namespace kern::kernels
