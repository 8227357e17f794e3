// Norms of few rows, where three kernels would take longer to start than to run: one block for up to 8 channels of a
// group does all of it, and what it reads a second time comes from the caches. Forward 8 bytes a value from memory,
// backward 12; one kernel, and in backward another where parameters get gradients from several groups. A block of 256
// threads takes 64 KiB at most, 16 packs a thread.
#include "kernels/norm/norm_act.cuh"

namespace kern::kernels {
namespace {

constexpr int64_t kWidth = 8, kValues = 16384;  // of a block: channels at most, values at most

// One block (group, tile): moments, statistics, y.
template <int W, class T, Activation kAct>
__global__ void __launch_bounds__(kChannelThreads)
    norm_block_forward_kernel(ChannelGrid g, NormApply<T, kAct> f, float* mean, float* inverse) {
  const ChannelShare share = channel_share<W>(g);
  double all[1 + 2 * W];
  block_moments<W>(share, f.x, f.norm.g.x_pitch(), all);
  if (int(threadIdx.x) < share.lanes && !share.idle) {
#pragma unroll
    for (int j = 0; j < W; ++j)
      finish_statistics(f.norm, f.in, share.segment, share.column + j, {all[0], all[1 + j], all[1 + W + j]}, mean,
                        inverse);
  }
  __syncthreads();
  if (!share.idle) walk_channels<W>(share, f.template of<W>(share.segment, share.column));
}

// One block (group, tile): the sums, mean_term and variance_term, dx; and the gradients of parameters where there is one group only.
// parts [group][term][C] where somebody adds the groups' sums, else null.
template <int W, class T, Activation kAct>
__global__ void __launch_bounds__(kChannelThreads)
    norm_block_backward_kernel(ChannelGrid g, NormSums<T, kAct> f, NormBackward<T, kAct> back, double* parts,
                               ParameterGradients d) {
  constexpr int kTerms = NormSums<T, kAct>::kTerms;
  const ChannelShare share = channel_share<W>(g);
  double total[kTerms * W];
  block_sums<W>(share, f, total);
  if (int(threadIdx.x) < share.lanes && !share.idle) {
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const int64_t c = share.column + j, s = f.norm.stat(share.segment, c);
      const double weight = f.in.weight ? double(f.in.weight[c]) : 1.0;
      finish_averages(f.norm, back.averages, s, f.inverse, weight * total[j], weight * total[W + j]);
      if (d.bias) d.bias[c] = float(total[j]);
      if (d.weight) d.weight[c] = float(total[W + j] * double(f.inverse[s]));
      if (d.slope) d.slope[c] = kTerms == 3 ? float(total[(kTerms - 1) * W + j]) : 0.0f;
      if (parts) {
#pragma unroll
        for (int k = 0; k < kTerms; ++k) parts[(share.part * kTerms + k) * g.c + c] = total[k * W + j];
      }
    }
  }
  __syncthreads();
  if (back.dx && !share.idle) walk_channels<W>(share, back.template of<W>(share.segment, share.column));
}

ChannelGrid grid_of(const NormActSpec& g) {
  return ChannelGrid(g.groups(), g.group_rows(), g.c).in_one_block(g.c < kWidth ? g.c : kWidth);
}
LaunchConfig config_of(const Exec& exec, const ChannelGrid& grid) {
  return {
      .grid = dim3(unsigned(grid.parts()), unsigned(grid.tiles)), .block = kChannelThreads, .stream = stream_of(exec)};
}

// A block must see one keep per channel: not where channels of several samples are dropped under one mean.
bool supports(const NormActSpec& g) {
  return !g.frozen && (g.per_sample || !(g.p > 0)) && g.group_rows() * grid_of(g).tile <= kValues;
}

template <class T>
void forward(const Exec& exec, const NormActSpec& g, const T* x, const NormActInputs<float>& in, const T* residual,
             T* y, float* mean, float* inverse) {
  const ChannelGrid grid = grid_of(g);
  const bool wide = packs_fit(g.c, {{x, g.x_pitch()}, {residual, g.r_pitch()}, {y, g.y_pitch()}});
  for_activation(g.act, [&]<Activation kAct>() {
    const NormApply<T, kAct> f{{g, 1}, in, x, mean, inverse, residual, y};
    const auto launched = [&](auto kernel) {
      launch("norm_act forward in a block", SourceLocation::current(), kernel, config_of(exec, grid), grid, f, mean,
             inverse);
    };
    if (wide) launched(norm_block_forward_kernel<4, T, kAct>);
    else launched(norm_block_forward_kernel<1, T, kAct>);
  });
}
template <class T>
void apply(const Exec& exec, const NormActSpec& g, const T* x, const NormActInputs<float>& in, const float* mean,
           const float* inverse, const T* residual, T* y) {
  norm_cuda_apply(exec, g, 1, x, in, mean, inverse, residual, y);
}
template <class T>
void backward(const Exec& exec, const NormActSpec& g, const T* dy, const T* x, const NormActInputs<float>& in,
              const float* mean, const float* inverse, T* dx, float* dweight, float* dbias, float* dslope) {
  const Norm norm{g, 1};
  const ChannelGrid grid = grid_of(g);
  double* sums = static_cast<double*>(exec.scratch);
  const bool wide = packs_fit(g.c, {{dy, g.dy_pitch()}, {x, g.x_pitch()}, {dx, g.dx_pitch()}});
  const ParameterGradients d{dweight, dbias, dslope};
  const bool direct = g.groups() == 1 && (!dslope || g.slopes == g.c);
  for_activation(g.act, [&]<Activation kAct>() {
    const NormSums<T, kAct> f{norm, in, dy, x, mean, inverse};
    const NormBackward<T, kAct> back{norm, in, dy, x, mean, inverse, norm.averages(grid, sums), dx};
    const auto launched = [&](auto kernel) {
      launch("norm_act backward in a block", SourceLocation::current(), kernel, config_of(exec, grid), grid, f, back,
             direct ? nullptr : sums, direct ? d : ParameterGradients{});
    };
    if (wide) launched(norm_block_backward_kernel<4, T, kAct>);
    else launched(norm_block_backward_kernel<1, T, kAct>);
    if (!direct && (dweight || dbias || dslope))
      norm_totals(exec, norm, grid, NormSums<T, kAct>::kTerms, in.weight, inverse, sums, {}, d);
  });
}

}  // namespace

template <class T>
NormActImplOf<T> norm_act_cuda_block_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda_block" : "cuda_block_bf16",
          .device = Device::cuda,
          .supports = supports,
          .workspace =
              [](const NormActSpec& g) {
                return Norm{g, 1}.backward_bytes(grid_of(g));
              },
          .forward = forward<T>,
          .apply = apply<T>,
          .backward = backward<T>};
}

template NormActImplOf<float> norm_act_cuda_block_impl<float>();
template NormActImplOf<Bf16> norm_act_cuda_block_impl<Bf16>();

}  // namespace kern::kernels
