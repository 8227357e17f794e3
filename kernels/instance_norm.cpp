#include "kernels/instance_norm.h"

namespace kern::kernels {
namespace {

void instance_norm_forward_cpu(const Exec& exec, const InstanceNormSpec& g, const float* x, const float* weight,
                               const float* bias, float* y, float* mean, float* inverse_deviation) {
  const ChannelMoments moments = channel_moments(exec, g.norm(), x);
  const double rows = double(g.l > 0 ? g.l : 1);
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t c = 0; c < g.c; ++c) {
      mean[n * g.c + c] = float(moments.mean(n)[c]);
      inverse_deviation[n * g.c + c] = float(1 / std::sqrt(moments.squares(n)[c] / rows + double(g.eps)));
    }
  channel_norm_apply(g.norm(), x, weight, bias, mean, inverse_deviation, y);
}

constexpr InstanceNormRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const InstanceNormSpec& g) { return channel_norm_workspace(g.norm()); },
     .forward = instance_norm_forward_cpu,
     .backward =
         [](const Exec& exec, const InstanceNormSpec& g, const float* dy, const float* x, const float* weight,
            const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
           channel_norm_backward(exec, g.norm(), dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
         }},
    {.name = "reference",
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
         }},
};
constexpr Table<InstanceNormRow> kTable{"instance_norm", kRows};

}  // namespace

const Table<InstanceNormRow>& instance_norm_table() { return kTable; }
OpInfo instance_norm_info() { return info_of(kTable); }

}  // namespace kern::kernels
