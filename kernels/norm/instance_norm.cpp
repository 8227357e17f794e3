#include "kernels/norm/instance_norm.h"

#include "kernels/norm/norm_act.h"

namespace kern::kernels {
namespace {

// An instance norm is a norm_act without activation; its rows are that op's.
NormActSpec as_norm_act(const InstanceNormSpec& g) {
  return {.n = g.n, .rows = g.l, .c = g.c, .per_sample = true, .eps = g.eps, .pitch = g.pitch};
}
template <NormActImpl (*norm_act_row)()>
bool supports_as_norm_act(const InstanceNormSpec& g) {
  return norm_act_row().supports(as_norm_act(g));
}
template <NormActImpl (*norm_act_row)()>
InstanceNormImpl row_of(bool (*supports)(const InstanceNormSpec&) = supports_as_norm_act<norm_act_row>) {
  return {.name = norm_act_row().name,
          .device = norm_act_row().device,
          .supports = supports,
          .workspace = [](const InstanceNormSpec& g) { return norm_act_row().workspace(as_norm_act(g)); },
          .forward =
              [](const Exec& exec, const InstanceNormSpec& g, const float* x, const float* weight, const float* bias,
                 float* y, float* mean, float* inverse_deviation) {
                norm_act_row().forward(exec, as_norm_act(g), x, {.weight = weight, .bias = bias}, nullptr, y, mean,
                                       inverse_deviation);
              },
          .backward =
              [](const Exec& exec, const InstanceNormSpec& g, const float* dy, const float* x, const float* weight,
                 const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
                norm_act_row().backward(exec, as_norm_act(g), dy, x, {.weight = weight}, mean, inverse_deviation, dx,
                                        dweight, dbias, nullptr);
              }};
}
template <Isa isa>
InstanceNormImpl simd_row() {
  return row_of<norm_act_simd_impl<isa>>();
}

constexpr InstanceNormImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const InstanceNormSpec& g, const float* x, const float* weight, const float* bias, float* y,
           float* mean, float* inverse_deviation) {
          instance_norm_forward_reference(g, x, weight, bias, y, mean, inverse_deviation);
        },
    .backward =
        [](const Exec&, const InstanceNormSpec& g, const float* dy, const float* x, const float* weight,
           const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
          instance_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
        }};

}  // namespace

const Registry<InstanceNormImpl>& instance_norm_registry() {
  static const InstanceNormImpl impls[] = {
      KERN_CUDA_IMPL(row_of<norm_act_cuda_block_impl>(), row_of<norm_act_cuda_impl>(supports_all))
          KERN_SIMD_IMPLS(simd_row),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<InstanceNormImpl> registry{"instance_norm", impls};
  return registry;
}
OpInfo instance_norm_info() { return info_of(instance_norm_registry()); }

}  // namespace kern::kernels
