#include "kernels/softmax/softmax.h"

namespace kern::kernels {
namespace {

constexpr SoftmaxImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const SoftmaxSpec& g, const float* x, float* y) { softmax_forward_reference(g, x, y); },
    .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                   float* dx) { softmax_backward_reference(g, dy, y, dx); }};

}  // namespace

const Registry<SoftmaxImpl>& softmax_registry() {
  static const SoftmaxImpl impls[] = {
      KERN_CUDA_IMPL(softmax_cuda_impl()) KERN_SIMD_IMPLS(softmax_simd_impl),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<SoftmaxImpl> registry{"softmax", impls};
  return registry;
}
OpInfo softmax_info() { return info_of(softmax_registry()); }

}  // namespace kern::kernels
