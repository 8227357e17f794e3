#include "kernels/norm/norm_act.h"

namespace kern::kernels {
namespace {

constexpr NormActImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const NormActSpec& g, const float* x, const NormActInputs<float>& in, const float* residual,
           float* y, float* mean,
           float* inverse_deviation) { norm_act_forward_reference(g, x, in, residual, y, mean, inverse_deviation); },
    .apply = [](const Exec&, const NormActSpec& g, const float* x, const NormActInputs<float>& in, const float* mean,
                const float* inverse_deviation, const float* residual,
                float* y) { norm_act_apply_reference(g, x, in, mean, inverse_deviation, residual, y); },
    .backward =
        [](const Exec&, const NormActSpec& g, const float* dy, const float* x, const NormActInputs<float>& in,
           const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias, float* dslope) {
          norm_act_backward_reference(g, dy, x, in, mean, inverse_deviation, dx, dweight, dbias, dslope);
        }};

}  // namespace

template <>
const Registry<NormActImpl>& norm_act_registry<float>() {
  static const NormActImpl impls[] = {
      KERN_CUDA_IMPL(norm_act_cuda_block_impl<float>(), norm_act_cuda_impl<float>())
          KERN_SIMD_IMPLS(norm_act_simd_impl),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<NormActImpl> registry{"norm_act", impls};
  return registry;
}
template <>
const Registry<NormActImplOf<Bf16>>& norm_act_registry<Bf16>() {
  static const std::vector<NormActImplOf<Bf16>> impls{
      KERN_CUDA_IMPL(norm_act_cuda_block_impl<Bf16>(), norm_act_cuda_impl<Bf16>())};
  static const Registry<NormActImplOf<Bf16>> registry{"norm_act", impls};
  return registry;
}
OpInfo norm_act_info() { return info_of(norm_act_registry(), norm_act_registry<Bf16>()); }

}  // namespace kern::kernels
