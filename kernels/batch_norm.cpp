#include "kernels/batch_norm.h"

#include <algorithm>

namespace kern::kernels {
namespace {

void batch_norm_forward_cpu(const Exec& exec, const BatchNormSpec& g, const float* x, const float* weight,
                            const float* bias, float* running_mean, float* running_variance, float* y, float* mean,
                            float* inverse_deviation) {
  if (g.frozen) {
    std::copy_n(running_mean, g.c, mean);
    for (int64_t c = 0; c < g.c; ++c)
      inverse_deviation[c] = float(1 / std::sqrt(double(running_variance[c]) + double(g.eps)));
  } else {
    const ChannelMoments moments = channel_moments(exec, g.norm(), x);
    const double rows = double(std::max<int64_t>(1, g.rows)), momentum = double(g.momentum);
    for (int64_t c = 0; c < g.c; ++c) {
      const double m = moments.mean(0)[c], variance = moments.squares(0)[c] / rows;
      mean[c] = float(m);
      inverse_deviation[c] = float(1 / std::sqrt(variance + double(g.eps)));
      if (!g.updates() || !running_mean) continue;
      running_mean[c] = float((1 - momentum) * double(running_mean[c]) + momentum * m);
      running_variance[c] = float((1 - momentum) * double(running_variance[c]) + momentum * variance * g.unbiased());
    }
  }
  channel_norm_apply(g.norm(), x, weight, bias, mean, inverse_deviation, y);
}

constexpr BatchNormRow kRows[] = {
    {.name = "cpu",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = [](const BatchNormSpec& g) { return channel_norm_workspace(g.norm()); },
     .forward = batch_norm_forward_cpu,
     .backward =
         [](const Exec& exec, const BatchNormSpec& g, const float* dy, const float* x, const float* weight,
            const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
           channel_norm_backward(exec, g.norm(), dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
         }},
    {.name = "reference",
     .device = Device::cpu,
     .supports = supports_all,
     .workspace = no_workspace,
     .forward =
         [](const Exec&, const BatchNormSpec& g, const float* x, const float* weight, const float* bias,
            float* running_mean, float* running_variance, float* y, float* mean, float* inverse_deviation) {
           batch_norm_forward_reference(g, x, weight, bias, running_mean, running_variance, y, mean, inverse_deviation);
         },
     .backward =
         [](const Exec&, const BatchNormSpec& g, const float* dy, const float* x, const float* weight,
            const float* mean, const float* inverse_deviation, float* dx, float* dweight, float* dbias) {
           batch_norm_backward_reference(g, dy, x, weight, mean, inverse_deviation, dx, dweight, dbias);
         }},
};
constexpr Table<BatchNormRow> kTable{"batch_norm", kRows};

}  // namespace

const Table<BatchNormRow>& batch_norm_table() { return kTable; }
OpInfo batch_norm_info() { return info_of(kTable); }

}  // namespace kern::kernels
