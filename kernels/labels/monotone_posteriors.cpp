#include "kernels/labels/monotone_posteriors.h"

#include "kernels/common/parallel.h"

namespace kern::kernels {
namespace {

constexpr MonotonePosteriorsImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = [](const MonotonePosteriorsSpec& g) { return g.scratch_size() * sizeof(double); },
    .forward = [](const Exec& exec, const MonotonePosteriorsSpec& g, const float* p, const int32_t* present,
                  float* q) { monotone_posteriors_reference(g, p, present, q, static_cast<double*>(exec.scratch)); }};

constexpr MonotonePosteriorsImpl kCpu = {
    .name = "cpu",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = kReference.workspace,
    .forward = [](const Exec& exec, const MonotonePosteriorsSpec& g, const float* p, const int32_t* present, float* q) {
      double* scratch = static_cast<double*>(exec.scratch);
      parallel_for(g.n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n) posteriors_of_signal(g, n, p, present, q, scratch);
      });
    }};

}  // namespace

const Registry<MonotonePosteriorsImpl>& monotone_posteriors_registry() {
  static const MonotonePosteriorsImpl impls[] = {KERN_CUDA_IMPL(monotone_posteriors_cuda_impl()) kCpu, kReference};
  static const Registry<MonotonePosteriorsImpl> registry{"monotone_posteriors", impls};
  return registry;
}
OpInfo monotone_posteriors_info() { return info_of(monotone_posteriors_registry()); }

}  // namespace kern::kernels
