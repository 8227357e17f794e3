#include "kernels/norm/group_norm.h"

namespace kern::kernels {
namespace {

constexpr GroupNormImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const GroupNormSpec& g, const float* x, const float* weight, const float* bias, float* y,
           float* mean,
           float* inverse_deviation) { group_norm_forward_reference(g, x, weight, bias, y, mean, inverse_deviation); },
    .backward =
        [](const Exec&, const GroupNormSpec& g, const float* dy, const float* x, const float* weight, const float* mean,
           const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
          group_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
        }};

}  // namespace

const Registry<GroupNormImpl>& group_norm_registry() {
  static const GroupNormImpl impls[] = {
      KERN_CUDA_IMPL(group_norm_cuda_impl()) KERN_SIMD_IMPLS(group_norm_simd_impl),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<GroupNormImpl> registry{"group_norm", impls};
  return registry;
}
OpInfo group_norm_info() { return info_of(group_norm_registry()); }

}  // namespace kern::kernels
