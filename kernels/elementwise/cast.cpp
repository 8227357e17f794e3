#include "kernels/elementwise/cast.h"

#include <algorithm>

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

template <class X, class Y>
void cast(const Exec&, const CastSpec& g, const X* x, Y* y) {
  parallel_for(g.rows, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, g.c)), [=, &g](int64_t begin, int64_t end) {
    CastSpec part = g;
    part.rows = end - begin;
    cast_reference(part, x + begin * g.x_pitch(), y + begin * g.y_pitch());
  });
}

constexpr CastImpl kCpu = {.name = "cpu",
                           .device = Device::cpu,
                           .supports = supports_all,
                           .narrow = cast<float, Bf16>,
                           .widen = cast<Bf16, float>};
constexpr CastImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .narrow = [](const Exec&, const CastSpec& g, const float* x, Bf16* y) { cast_reference(g, x, y); },
    .widen = [](const Exec&, const CastSpec& g, const Bf16* x, float* y) { cast_reference(g, x, y); }};

}  // namespace

const Registry<CastImpl>& cast_registry() {
  static const CastImpl impls[] = {KERN_CUDA_IMPL(cast_cuda_impl()) kCpu, kReference};
  static const Registry<CastImpl> registry{"cast", impls};
  return registry;
}
OpInfo cast_info() { return info_of(cast_registry()); }

}  // namespace kern::kernels
