#include "kernels/softmax/log_softmax.h"

namespace kern::kernels {
namespace {

constexpr LogSoftmaxImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .forward = [](const Exec&, const SoftmaxSpec& g, const float* x,
                  float* y) { log_softmax_forward_reference(g, x, y); },
    .backward = [](const Exec&, const SoftmaxSpec& g, const float* dy, const float* y,
                   float* dx) { log_softmax_backward_reference(g, dy, y, dx); }};

}  // namespace

const Registry<LogSoftmaxImpl>& log_softmax_registry() {
  static const LogSoftmaxImpl impls[] = {
      KERN_CUDA_IMPL(log_softmax_cuda_impl()) KERN_SIMD_IMPLS(log_softmax_simd_impl),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<LogSoftmaxImpl> registry{"log_softmax", impls};
  return registry;
}
OpInfo log_softmax_info() { return info_of(log_softmax_registry()); }

}  // namespace kern::kernels
