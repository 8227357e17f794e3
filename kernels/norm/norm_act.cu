// Norms on the GPU. Forward: moments of chunks of rows, one small kernel that merges them (and moves the running
// statistics), one pass that applies norm, activation, dropout and residual: 12 bytes a value (16 with a residual).
// Backward: the sums per channel of g and g (x - m), one small kernel, one pass for dx: 20 bytes a value. Masks of
// dropout are drawn again wherever they are needed, once per thread: a thread keeps to its channels. All of it is bound
// by memory; kernels/common/channel_sums.cuh says how rows and channels are shared.
#include "kernels/norm/norm_act.cuh"

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

// The gradients of weight, bias and slopes for up to 8 channels (`tile`), over the parts of all groups.
__device__ __forceinline__ void parameter_sums(const NormParameterSums& of, int terms, unsigned tile) {
  const unsigned c = unsigned(of.c), all_parts = unsigned(of.parts), parts_of_group = unsigned(of.parts_of_group),
                 stats = c / unsigned(of.width);
  const TotalsShare share = totals_share(c, tile);
  const unsigned column = unsigned(share.column), stat = column / unsigned(of.width);
  double total[3] = {};
  for (unsigned part = share.row; !share.idle && part < all_parts; part += share.at_once) {
    const double* at = of.sums + int64_t(part) * terms * c + column;
    total[0] += at[0];
    total[1] += at[c] * double(of.inverse[int64_t(part / parts_of_group) * stats + stat]);
    if (terms == 3) total[2] += at[2 * int64_t(c)];
  }
  sum_rows_of_block(total, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  if (of.bias) of.bias[share.column] = float(total[0]);
  if (of.weight) of.weight[share.column] = float(total[1]);
  if (of.slope && of.slopes != 1) of.slope[share.column] = float(total[2]);
}
// That of a slope shared by all channels.
__device__ __forceinline__ void shared_slope_sum(const NormParameterSums& of, int terms) {
  const unsigned c = unsigned(of.c), all = unsigned(of.parts) * c;
  double total[1] = {};
  for (unsigned i = threadIdx.x; terms == 3 && i < all; i += kChannelThreads)
    total[0] += of.sums[(int64_t(i / c) * terms + terms - 1) * c + i % c];
  sum_rows_of_block(total, 1, kChannelThreads);
  if (threadIdx.x == 0) *of.slope = float(total[0]);
}

// Block (group, y): mean_term and variance_term for up to 8 means. Block (groups, y): the gradients of weight, bias and slopes for
// up to 8 channels. Block (groups + 1, 0): that of a slope shared by all channels.
template <int kTerms>
__global__ void __launch_bounds__(kChannelThreads)
    norm_totals_kernel(Norm norm, const float* weight, Averages averages, NormParameterSums of) {
  const NormActSpec& g = norm.g;
  const unsigned groups = unsigned(g.groups()), group = blockIdx.x, parts_of_group = unsigned(of.parts_of_group),
                 c = unsigned(g.c), width = unsigned(norm.width);
  if (group == groups + 1) {
    if (of.slopes == 1 && of.slope && blockIdx.y == 0) shared_slope_sum(of, kTerms);
    return;
  }
  if (group == groups) return parameter_sums(of, kTerms, blockIdx.y);
  if (!averages.mean_term) return;
  const TotalsShare share = totals_share(norm.stats(), blockIdx.y);
  double total[2] = {};
  for (unsigned i = share.row; !share.idle && i < parts_of_group * width; i += share.at_once) {
    const unsigned column = unsigned(share.column) * width + i % width, part = group * parts_of_group + i / width;
    const double* at = of.sums + int64_t(part) * kTerms * c + column;
    const double w = weight ? double(weight[column]) : 1.0;
    total[0] += w * at[0];
    total[1] += w * at[c];
  }
  sum_rows_of_block(total, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  finish_averages(norm, averages, int64_t(group) * norm.stats() + share.column, of.inverse, total[0], total[1]);
}

// Parameters of many norms: blocks first[j] .. first[j + 1] - 1 are norm j's, the last of them its shared slope's. They
// travel as an argument, of which a kernel may have 4 KiB.
constexpr int kMaxNorms = 48;
struct ManyNormSums {
  NormParameterSums all[kMaxNorms];
  int first[kMaxNorms + 1];
  int count;
};
static_assert(sizeof(ManyNormSums) <= 4096);

__global__ void __launch_bounds__(kChannelThreads) norm_parameters_kernel(ManyNormSums norms) {
  int norm = 0;
  while (norms.first[norm + 1] <= int(blockIdx.x)) ++norm;
  const NormParameterSums& of = norms.all[norm];
  if (int(blockIdx.x) + 1 < norms.first[norm + 1])
    return parameter_sums(of, of.terms, blockIdx.x - unsigned(norms.first[norm]));
  if (of.slopes == 1 && of.slope) shared_slope_sum(of, of.terms);
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
  const int64_t groups = norm.g.groups(), all_parts = parts.parts();
  const NormParameterSums of{.inverse = inverse,
                             .sums = sums,
                             .weight = d.weight,
                             .bias = d.bias,
                             .slope = d.slope,
                             .c = int(norm.g.c),
                             .parts = int(all_parts),
                             .parts_of_group = groups > 0 ? int(all_parts / groups) : 0,
                             .width = int(norm.width),
                             .terms = terms,
                             .slopes = int(norm.g.slopes)};
  if (LateSums* const late = late_sums(); late && !averages.mean_term) {
    late->norms.push_back(of);
    return;
  }
  const int64_t of_means = totals_tiles(norm.stats()), of_channels = totals_tiles(norm.g.c),
                tiles = of_means > of_channels ? of_means : of_channels;
  const LaunchConfig config{
      .grid = dim3(unsigned(groups + 2), unsigned(tiles)), .block = kChannelThreads, .stream = stream_of(exec)};
  if (terms == 3) KERN_LAUNCH(norm_totals_kernel<3>, config, norm, weight, averages, of);
  else KERN_LAUNCH(norm_totals_kernel<2>, config, norm, weight, averages, of);
}

void finish_norm_parameter_sums(const Exec& exec, const std::vector<NormParameterSums>& norms) {
  for (size_t begin = 0; begin < norms.size(); begin += kMaxNorms) {
    ManyNormSums some{};
    some.count = int(norms.size() - begin < kMaxNorms ? norms.size() - begin : kMaxNorms);
    for (int j = 0; j < some.count; ++j) {
      some.all[j] = norms[begin + size_t(j)];
      some.first[j + 1] = some.first[j] + int(totals_tiles(some.all[j].c)) + 1;
    }
    KERN_LAUNCH(norm_parameters_kernel,
                {.grid = unsigned(some.first[some.count]), .block = kChannelThreads, .stream = stream_of(exec)}, some);
  }
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
NormActImplOf<T> norm_act_cuda_impl() {
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
template NormActImplOf<float> norm_act_cuda_impl<float>();
template NormActImplOf<Bf16> norm_act_cuda_impl<Bf16>();

}  // namespace kern::kernels
