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

GroupNormImpl group_norm_cuda_impl() {
  return {.name = "cuda",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const GroupNormSpec& g) { return norm_cuda_workspace(as_norm_act(g), g.width()); },
          .forward =
              [](const Exec& exec, const GroupNormSpec& g, const float* x, const float* weight, const float* bias,
                 float* y, float* mean, float* inverse_deviation) {
                norm_cuda_forward(exec, as_norm_act(g), g.width(), x, {.weight = weight, .bias = bias}, nullptr, y,
                                  mean, inverse_deviation);
              },
          .backward =
              [](const Exec& exec, const GroupNormSpec& g, const float* dy, const float* x, const float* weight,
                 const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
                norm_cuda_backward(exec, as_norm_act(g), g.width(), dy, x, {.weight = weight}, mean, inverse_deviation,
                                   dx, dweight, dbias, nullptr);
              }};
}

}  // namespace kern::kernels
