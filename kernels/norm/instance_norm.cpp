#include "kernels/norm/instance_norm.h"

#include "kernels/norm/norm_act.h"

namespace kern::kernels {
namespace {

// An instance norm is a norm_act without activation; its implementations are that op's.
NormActSpec as_norm_act(const InstanceNormSpec& g) {
  return {.n = g.n, .rows = g.l, .c = g.c, .per_sample = true, .eps = g.eps, .pitch = g.pitch};
}
template <NormActImpl (*norm_act)()>
bool supports_as_norm_act(const InstanceNormSpec& g) {
  return norm_act().supports(as_norm_act(g));
}
template <NormActImpl (*norm_act)()>
Implementation<InstanceNorm> by(bool (*supports)(const InstanceNormSpec&) = supports_as_norm_act<norm_act>) {
  return {.name = norm_act().name,
          .device = norm_act().device,
          .supports = supports,
          .workspace = [](const InstanceNormSpec& g) { return norm_act().workspace(as_norm_act(g)); },
          .forward =
              [](const Exec& exec, const InstanceNormSpec& g, const InstanceNorm::Forward<float>& a) {
                norm_act().forward(exec, as_norm_act(g), a.x, {.weight = a.weight, .bias = a.bias}, nullptr, a.y,
                                   a.mean, a.inverse_deviation);
              },
          .backward =
              [](const Exec& exec, const InstanceNormSpec& g, const InstanceNorm::Backward<float>& a) {
                norm_act().backward(exec, as_norm_act(g), a.dy, a.x, {.weight = a.weight}, a.mean, a.inverse_deviation,
                                    a.dx, a.dweight, a.dbias, nullptr);
              }};
}
template <Isa isa>
Implementation<InstanceNorm> simd() {
  return by<norm_act_simd_impl<isa>>();
}

}  // namespace

const Registry<Implementation<InstanceNorm>>& InstanceNorm::registry() {
  static const Implementation<InstanceNorm> impls[] = {
      KERN_CUDA_IMPL(by<norm_act_cuda_block_impl>(), by<norm_act_cuda_impl>(supports_all)) KERN_SIMD_IMPLS(simd),
      reference_implementation<InstanceNorm>()};
  static const Registry<Implementation<InstanceNorm>> registry{kName, impls};
  return registry;
}
OpInfo instance_norm_info() { return info_of(InstanceNorm::registry()); }

}  // namespace kern::kernels
