// Norms on the card. Forward: moments of stretches of rows, one small kernel that merges them (and moves the running
// statistics), one pass that applies norm, activation, dropout and residual: 12 bytes a value (16 with a residual).
// Backward: the sums per channel of g and g (x - m), one small kernel, one pass for dx: 20 bytes a value. Masks of
// dropout are drawn again wherever they are needed, once per thread: a thread keeps to its channels. All of it is bound
// by memory; kernels/common/channel_sums.cuh says how rows and channels are shared.
#include "kernels/norm_act.cuh"

namespace kern::kernels {
namespace {

// mean, inverse deviation and the running statistics of one group (blockIdx.x) for up to 8 means (blockIdx.y): the
// block's threads merge the parts of the group, and the channels that have the mean in common.
__global__ void __launch_bounds__(kChannelThreads)
    norm_statistics_kernel(Norm norm, ChannelGrid parts, NormActInputs<float> in, const double* moments, float* mean,
                           float* inverse) {
  const NormActSpec& g = norm.g;
  const TotalsShare share = totals_share(norm.stats(), blockIdx.y);
  const unsigned width = unsigned(norm.width), all_of_mean = g.frozen ? 0 : unsigned(parts.chunks) * width;
  Moments own;
  for (unsigned i = share.row; !share.idle && i < all_of_mean; i += share.at_once) {
    const unsigned chunk = i / width;
    const double* at =
        moments + (blockIdx.x * parts.chunks + chunk) * 2 * g.c + share.column * width + (i - chunk * width);
    own.merge({double(parts.rows_of_chunk(chunk)), at[0], at[g.c]});
  }
  const Moments all = merge_rows_of_block(own, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  finish_statistics(norm, in, blockIdx.x, share.column, all, mean, inverse);
}

// --- backward ---
// Block (group, y): level and tilt for up to 8 means. Block (groups, y): the gradients of weight, bias and slopes for
// up to 8 channels, over the parts of all groups. Block (groups + 1, 0): that of a slope shared by all channels.
template <int kTerms>
__global__ void __launch_bounds__(kChannelThreads)
    norm_totals_kernel(Norm norm, ChannelGrid parts, const float* weight, const float* inverse, const double* sums,
                       Averages averages, ParameterGradients d) {
  const NormActSpec& g = norm.g;
  const unsigned groups = unsigned(g.groups()), group = blockIdx.x, all_parts = unsigned(parts.parts()),
                 parts_of_group = groups > 0 ? all_parts / groups : 0, c = unsigned(g.c), width = unsigned(norm.width);
  if (group == groups + 1) {
    if (g.slopes != 1 || !d.slope || blockIdx.y > 0) return;
    double total[1] = {};
    for (unsigned i = threadIdx.x; kTerms == 3 && i < all_parts * c; i += kChannelThreads)
      total[0] += sums[(int64_t(i / c) * kTerms + kTerms - 1) * c + i % c];
    sum_rows_of_block(total, 1, kChannelThreads);
    if (threadIdx.x == 0) *d.slope = float(total[0]);
    return;
  }
  const bool parameters = group == groups;
  if (!parameters && !averages.level) return;
  const TotalsShare share = totals_share(parameters ? g.c : norm.stats(), blockIdx.y);
  double total[3] = {};
  if (parameters) {
    const unsigned column = unsigned(share.column), stats = c / width, stat = column / width;
    for (unsigned part = share.row; !share.idle && part < all_parts; part += share.at_once) {
      const double* at = sums + int64_t(part) * kTerms * c + column;
      total[0] += at[0];
      total[1] += at[c] * double(inverse[int64_t(part / parts_of_group) * stats + stat]);
      if constexpr (kTerms == 3) total[2] += at[2 * int64_t(c)];
    }
  } else {
    for (unsigned i = share.row; !share.idle && i < parts_of_group * width; i += share.at_once) {
      const unsigned column = unsigned(share.column) * width + i % width, part = group * parts_of_group + i / width;
      const double* at = sums + int64_t(part) * kTerms * c + column;
      const double w = weight ? double(weight[column]) : 1.0;
      total[0] += w * at[0];
      total[1] += w * at[c];
    }
  }
  sum_rows_of_block(total, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  if (parameters) {
    if (d.bias) d.bias[share.column] = float(total[0]);
    if (d.weight) d.weight[share.column] = float(total[1]);
    if (d.slope && g.slopes != 1) d.slope[share.column] = float(total[2]);
    return;
  }
  finish_averages(norm, averages, int64_t(group) * norm.stats() + share.column, inverse, total[0], total[1]);
}

}  // namespace

size_t norm_cuda_workspace(const NormActSpec& g, int64_t width) {
  const Norm norm{g, width};
  const size_t forward = norm.statistics_grid().sums_bytes(2), backward = norm.backward_bytes(norm.grid());
  return forward > backward ? forward : backward;
}

template <class T>
void norm_cuda_forward(const Exec& exec, const NormActSpec& g, int64_t width, const T* x,
                       const NormActInputs<float>& in, const std::type_identity_t<T>* residual, T* y, float* mean,
                       float* inverse) {
  const Norm norm{g, width};
  const ChannelGrid parts = norm.statistics_grid();
  double* moments = static_cast<double*>(exec.scratch);
  if (!g.frozen) channel_moments(exec, parts, x, g.x_pitch(), moments);
  KERN_LAUNCH(norm_statistics_kernel,
              LaunchConfig{.grid = dim3(unsigned(g.groups()), unsigned(totals_tiles(norm.stats()))),
                           .block = kChannelThreads,
                           .stream = stream_of(exec)},
              norm, parts, in, moments, mean, inverse);
  norm_cuda_apply(exec, g, width, x, in, mean, inverse, residual, y);
}

template <class T>
void norm_cuda_apply(const Exec& exec, const NormActSpec& g, int64_t width, const T* x, const NormActInputs<float>& in,
                     const float* mean, const float* inverse, const std::type_identity_t<T>* residual, T* y) {
  const Norm norm{g, width};
  for_activation(g.act, [&]<Activation kAct>() {
    channel_walk("norm_act apply", exec, norm.grid(), {{x, g.x_pitch()}, {residual, g.r_pitch()}, {y, g.y_pitch()}},
                 NormApply<T, kAct>{norm, in, x, mean, inverse, residual, y});
  });
}

void norm_totals(const Exec& exec, const Norm& norm, const ChannelGrid& parts, int terms, const float* weight,
                 const float* inverse, const double* sums, const Averages& averages, const ParameterGradients& d) {
  const int64_t of_means = totals_tiles(norm.stats()), of_channels = totals_tiles(norm.g.c),
                tiles = of_means > of_channels ? of_means : of_channels;
  const LaunchConfig config{.grid = dim3(unsigned(norm.g.groups() + 2), unsigned(tiles)),
                            .block = kChannelThreads,
                            .stream = stream_of(exec)};
  if (terms == 3) KERN_LAUNCH(norm_totals_kernel<3>, config, norm, parts, weight, inverse, sums, averages, d);
  else KERN_LAUNCH(norm_totals_kernel<2>, config, norm, parts, weight, inverse, sums, averages, d);
}

template <class T>
void norm_cuda_backward(const Exec& exec, const NormActSpec& g, int64_t width, const T* dy, const T* x,
                        const NormActInputs<float>& in, const float* mean, const float* inverse, T* dx, float* dweight,
                        float* dbias, float* dslope) {
  const Norm norm{g, width};
  const ChannelGrid grid = norm.grid();
  double* sums = static_cast<double*>(exec.scratch);
  const Averages averages = g.frozen ? Averages{} : norm.averages(grid, sums);
  for_activation(g.act, [&]<Activation kAct>() {
    if (!g.frozen || dweight || dbias || dslope) {
      channel_sums("norm_act sums of gradients", exec, grid, {{dy, g.dy_pitch()}, {x, g.x_pitch()}},
                   NormSums<T, kAct>{norm, in, dy, x, mean, inverse}, sums);
      norm_totals(exec, norm, grid, NormSums<T, kAct>::kTerms, in.weight, inverse, sums, averages,
                  {dweight, dbias, dslope});
    }
    if (dx)
      channel_walk("norm_act backward", exec, grid, {{dy, g.dy_pitch()}, {x, g.x_pitch()}, {dx, g.dx_pitch()}},
                   NormBackward<T, kAct>{norm, in, dy, x, mean, inverse, averages, dx});
  });
}

template <class T>
NormActRowOf<T> norm_act_cuda_row() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace = [](const NormActSpec& g) { return norm_cuda_workspace(g, 1); },
          .forward = [](const Exec& exec, const NormActSpec& g, const T* x, const NormActInputs<float>& in,
                        const T* residual, T* y, float* mean,
                        float* inverse) { norm_cuda_forward(exec, g, 1, x, in, residual, y, mean, inverse); },
          .apply = [](const Exec& exec, const NormActSpec& g, const T* x, const NormActInputs<float>& in,
                      const float* mean, const float* inverse, const T* residual,
                      T* y) { norm_cuda_apply(exec, g, 1, x, in, mean, inverse, residual, y); },
          .backward =
              [](const Exec& exec, const NormActSpec& g, const T* dy, const T* x, const NormActInputs<float>& in,
                 const float* mean, const float* inverse, T* dx, float* dweight, float* dbias, float* dslope) {
                norm_cuda_backward(exec, g, 1, dy, x, in, mean, inverse, dx, dweight, dbias, dslope);
              }};
}

#define KERN_NORM(T)                                                                                               \
  template void norm_cuda_forward(const Exec&, const NormActSpec&, int64_t, const T*, const NormActInputs<float>&, \
                                  const T*, T*, float*, float*);                                                   \
  template void norm_cuda_apply(const Exec&, const NormActSpec&, int64_t, const T*, const NormActInputs<float>&,   \
                                const float*, const float*, const T*, T*);                                         \
  template void norm_cuda_backward(const Exec&, const NormActSpec&, int64_t, const T*, const T*,                   \
                                   const NormActInputs<float>&, const float*, const float*, T*, float*, float*,    \
                                   float*)
KERN_NORM(float);
KERN_NORM(Bf16);
#undef KERN_NORM
template NormActRowOf<float> norm_act_cuda_row<float>();
template NormActRowOf<Bf16> norm_act_cuda_row<Bf16>();

}  // namespace kern::kernels
