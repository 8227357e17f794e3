#include "kernels/optim/ema_update.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr EmaUpdateImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .step = [](const Exec&, const EmaUpdateSpec& g, const float* x, float* p) {
      parallel_for(g.n, 16384, [=, a = float(g.decay), b = float(1 - g.decay)](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) p[i] = a * p[i] + b * x[i];
      });
    }};
constexpr EmaUpdateImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .step = [](const Exec&, const EmaUpdateSpec& g, const float* x, float* p) { ema_update_reference(g, x, p); }};

}  // namespace

const Registry<EmaUpdateImpl>& ema_update_registry() {
  static const EmaUpdateImpl impls[] = {KERN_CUDA_IMPL(ema_update_cuda_impl()) kCpu, kReference};
  static const Registry<EmaUpdateImpl> registry{"ema_update", impls};
  return registry;
}
OpInfo ema_update_info() { return info_of(ema_update_registry()); }

}  // namespace kern::kernels
