#include "kernels/elementwise/prelu.h"

namespace kern::kernels {
namespace {

constexpr PreluImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward = [](const Exec&, const PreluSpec& g, const float* x, const float* slope,
                  float* y) { prelu_forward_reference(g, x, slope, y); },
    .backward = [](const Exec&, const PreluSpec& g, const float* dy, const float* x, const float* slope, float* dx,
                   float* dslope) { prelu_backward_reference(g, dy, x, slope, dx, dslope); }};

}  // namespace

const Registry<PreluImpl>& prelu_registry() {
  static const PreluImpl impls[] = {
      KERN_CUDA_IMPL(prelu_cuda_impl()) KERN_SIMD_IMPLS(prelu_simd_impl),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<PreluImpl> registry{"prelu", impls};
  return registry;
}
OpInfo prelu_info() { return info_of(prelu_registry()); }

}  // namespace kern::kernels
