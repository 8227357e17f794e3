// Group norm on the GPU is a norm per sample in which neighbouring channels have their mean in common: norm_act.cu
// says how it runs and what it costs.
#include "kernels/norm/group_norm.h"
#include "kernels/norm/norm_act_cuda.h"

namespace kern::kernels {
namespace {

NormActSpec as_norm_act(const GroupNormSpec& g) {
  return {.n = g.n, .rows = g.l, .c = g.c, .per_sample = true, .eps = g.eps, .pitch = g.pitch};
}

}  // namespace

Implementation<GroupNorm> GroupNorm::cuda() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const Spec& g) { return norm_cuda_workspace(as_norm_act(g), g.width()); },
          .forward =
              [](const Exec& exec, const Spec& g, const Forward<float>& a) {
                norm_cuda_forward(exec, as_norm_act(g), g.width(), a.x, {.weight = a.weight, .bias = a.bias}, nullptr,
                                  a.y, a.mean, a.inverse_deviation);
              },
          .backward =
              [](const Exec& exec, const Spec& g, const Backward<float>& a) {
                norm_cuda_backward(exec, as_norm_act(g), g.width(), a.dy, a.x, {.weight = a.weight}, a.mean,
                                   a.inverse_deviation, a.dx, a.dweight, a.dbias, nullptr);
              }};
}

}  // namespace kern::kernels
