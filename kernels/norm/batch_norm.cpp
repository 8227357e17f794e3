#include "kernels/norm/batch_norm.h"

#include "kernels/norm/norm_act.h"

namespace kern::kernels {
namespace {

// A batch norm is a norm_act without activation; its rows are that op's.
NormActSpec as_norm_act(const BatchNormSpec& g) {
  return {.n = 1, .rows = g.rows, .c = g.c, .frozen = g.frozen, .eps = g.eps, .momentum = g.momentum, .pitch = g.pitch};
}
template <NormActImpl (*norm_act)()>
bool supports_as_norm_act(const BatchNormSpec& g) {
  return norm_act().supports(as_norm_act(g));
}
template <NormActImpl (*norm_act)()>
BatchNormImpl by(bool (*supports)(const BatchNormSpec&) = supports_as_norm_act<norm_act>) {
  return {
      .name = norm_act().name,
      .device = norm_act().device,
      .supports = supports,
      .workspace = [](const BatchNormSpec& g) { return norm_act().workspace(as_norm_act(g)); },
      .forward =
          [](const Exec& exec, const BatchNormSpec& g, const float* x, const float* weight, const float* bias,
             float* running_mean, float* running_variance, float* y, float* mean, float* inverse_deviation) {
            norm_act().forward(
                exec, as_norm_act(g), x,
                {.weight = weight, .bias = bias, .running_mean = running_mean, .running_variance = running_variance},
                nullptr, y, mean, inverse_deviation);
          },
      .backward =
          [](const Exec& exec, const BatchNormSpec& g, const float* dy, const float* x, const float* weight,
             const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
            norm_act().backward(exec, as_norm_act(g), dy, x, {.weight = weight}, mean, inverse_deviation, dx, dweight,
                                dbias, nullptr);
          }};
}
template <Isa isa>
BatchNormImpl simd() {
  return by<norm_act_simd_impl<isa>>();
}

constexpr BatchNormImpl kReference = {
    .name = "reference",
    .device = Device::cpu,
    .supports = supports_all,
    .workspace = no_workspace,
    .forward =
        [](const Exec&, const BatchNormSpec& g, const float* x, const float* weight, const float* bias,
           float* running_mean, float* running_variance, float* y, float* mean, float* inverse_deviation) {
          batch_norm_forward_reference(g, x, weight, bias, running_mean, running_variance, y, mean, inverse_deviation);
        },
    .backward =
        [](const Exec&, const BatchNormSpec& g, const float* dy, const float* x, const float* weight, const float* mean,
           const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
          batch_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
        }};

}  // namespace

const Registry<BatchNormImpl>& batch_norm_registry() {
  static const BatchNormImpl impls[] = {
      KERN_CUDA_IMPL(by<norm_act_cuda_block_impl>(), by<norm_act_cuda_impl>(supports_all))
          KERN_SIMD_IMPLS(simd),  // "avx512", "avx2", "simd"
      kReference,
  };
  static const Registry<BatchNormImpl> registry{"batch_norm", impls};
  return registry;
}
OpInfo batch_norm_info() { return info_of(batch_norm_registry()); }

}  // namespace kern::kernels
