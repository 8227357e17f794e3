// Norms on the card. Forward: moments of stretches of rows, one small kernel that merges them (and moves the running
// statistics), one pass that applies norm, activation, dropout and residual: 12 bytes a value (16 with a residual).
// Backward: the sums per channel of g and g (x - m), one small kernel, one pass for dx: 20 bytes a value. Masks of
// dropout are drawn again wherever they are needed, once per thread: a thread keeps to its channels. All of it is bound
// by memory; kernels/common/channel_sums.cuh says how rows and channels are shared.
#include "kernels/common/channel_moments.cuh"
#include "kernels/dropout.cuh"
#include "kernels/norm_act_cuda.h"

namespace kern::kernels {
namespace {

// A segment of the grid is a sample, or all rows where one mean serves them and no channel is dropped.
struct Norm {
  NormActSpec g;
  int64_t width;
  __host__ __device__ int64_t stats() const { return g.c / width; }  // means of a group
  __host__ __device__ int64_t stat(int64_t segment, int64_t channel) const {
    return g.per_sample ? segment * stats() + channel / width : channel / width;
  }
  ChannelGrid grid(bool by_sample) const {
    return by_sample ? ChannelGrid(g.n, g.rows, g.c) : ChannelGrid(g.groups(), g.group_rows(), g.c);
  }
  ChannelGrid statistics_grid() const { return grid(false); }
  ChannelGrid grid() const { return grid(g.p > 0); }
};

// What u, keep and the activation need for W channels of a segment. u is computed by one formula everywhere, so that
// backward and apply see the signs that forward saw.
template <int W, Activation kAct>
struct NormChannels {
  Pack<W> mean, scale, bias, slope, keep;
  __device__ NormChannels(const Norm& norm, const NormActInputs<float>& in, const float* means, const float* inverse,
                          int64_t segment, int64_t column) {
    if (norm.g.p > 0) keep = draw_keep<W>(norm.g.dropout(), *in.step, segment * norm.g.c + column);
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const int64_t c = column + j, s = norm.stat(segment, c);
      mean.v[j] = means[s];
      scale.v[j] = in.weight ? inverse[s] * in.weight[c] : inverse[s];
      bias.v[j] = in.bias ? in.bias[c] : 0.0f;
      slope.v[j] = kAct == Activation::prelu ? in.slope[norm.g.slope_of(c)] : 0.0f;
      if (!(norm.g.p > 0)) keep.v[j] = 1;
    }
  }
  __device__ float u(int j, float x) const { return fmaf(x - mean.v[j], scale.v[j], bias.v[j]); }
  __device__ float value(int j, float x) const {
    float v = u(j, x);
    if constexpr (kAct == Activation::relu) v = v <= 0 ? 0.0f : v;
    if constexpr (kAct == Activation::prelu) v = v > 0 ? v : v * slope.v[j];
    return keep.v[j] == 0 ? 0.0f : keep.v[j] * v;
  }
  // g = dy keep act'(u); adds dy keep u where u <= 0 to for_slope.
  __device__ float gradient(int j, float dy, float x, float& for_slope) const {
    float v = keep.v[j] == 0 ? 0.0f : keep.v[j] * dy;
    if constexpr (kAct == Activation::relu) v = u(j, x) <= 0 ? 0.0f : v;
    if constexpr (kAct == Activation::prelu) {
      const float at = u(j, x);
      if (!(at > 0)) for_slope += v * at, v *= slope.v[j];
    }
    return v;
  }
};

// --- forward ---
// y = keep act((x - m) d weight + bias) + residual
template <int W, Activation kAct>
struct ApplyChannels {
  NormChannels<W, kAct> channels;
  const float *x, *residual;  // of the first channel
  float* y;
  int64_t x_pitch, r_pitch, y_pitch;
  struct Values {
    Pack<W> x, residual;
  };
  __device__ Values read(int64_t row) const {
    Values v;
    v.x = load<W>(x + row * x_pitch);
    if (residual) v.residual = load<W>(residual + row * r_pitch);
    return v;
  }
  __device__ void write(int64_t row, const Values& v) const {
    Pack<W> out;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      out.v[j] = channels.value(j, v.x.v[j]);
      if (residual) out.v[j] += v.residual.v[j];
    }
    store(y + row * y_pitch, out);
  }
};
template <Activation kAct>
struct NormApply {
  Norm norm;
  NormActInputs<float> in;
  const float *x, *mean, *inverse, *residual;
  float* y;
  template <int W>
  __device__ ApplyChannels<W, kAct> of(int64_t segment, int64_t column) const {
    return {{norm, in, mean, inverse, segment, column},
            x + column,
            residual ? residual + column : nullptr,
            y + column,
            norm.g.x_pitch(),
            norm.g.r_pitch(),
            norm.g.y_pitch()};
  }
};

// mean, inverse deviation and the running statistics of one group (blockIdx.x) for up to 8 means (blockIdx.y): the
// block's threads merge the parts of the group, and the channels that have the mean in common.
__global__ void __launch_bounds__(kChannelThreads)
    norm_statistics_kernel(Norm norm, ChannelGrid parts, NormActInputs<float> in, const double* moments, float* mean,
                           float* inverse) {
  const NormActSpec& g = norm.g;
  const TotalsShare share = totals_share(norm.stats(), blockIdx.y);
  Moments own;
  for (int64_t i = share.row; !share.idle && !g.frozen && i < parts.chunks * norm.width; i += share.at_once) {
    const int64_t part = blockIdx.x * parts.chunks + i / norm.width;
    const double* at = moments + part * 2 * g.c + share.column * norm.width + i % norm.width;
    own.merge({double(parts.rows_of(part)), at[0], at[g.c]});
  }
  const Moments all = merge_rows_of_block(own, share.lanes, share.at_once);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  const int64_t c = share.column, s = blockIdx.x * norm.stats() + c;
  const double variance = g.frozen ? double(in.running_variance[c]) : all.count > 0 ? all.squares / all.count : 0.0;
  mean[s] = g.frozen ? in.running_mean[c] : float(all.mean);
  inverse[s] = float(1 / sqrt(variance + double(g.eps)));
  if (!g.updates() || !in.running_mean) return;
  const double momentum = double(g.momentum);
  in.running_mean[c] = float((1 - momentum) * double(in.running_mean[c]) + momentum * all.mean);
  in.running_variance[c] = float((1 - momentum) * double(in.running_variance[c]) + momentum * variance * g.unbiased());
}

// --- backward ---
template <int W>
struct Gradients {
  Pack<W> dy, x;
};
// The sums of g, g (x - m) and, with slopes, of the slope's part.
template <int W, Activation kAct, int kTerms>
struct SumsChannels {
  NormChannels<W, kAct> channels;
  const float *dy, *x;
  int64_t dy_pitch, x_pitch;
  __device__ Gradients<W> read(int64_t row) const { return {load<W>(dy + row * dy_pitch), load<W>(x + row * x_pitch)}; }
  __device__ void add(int64_t, const Gradients<W>& v, float (&few)[kTerms][W]) const {
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const float g = channels.gradient(j, v.dy.v[j], v.x.v[j], few[kTerms - 1][j]);
      few[0][j] += g;
      few[1][j] = fmaf(g, v.x.v[j] - channels.mean.v[j], few[1][j]);
    }
  }
};
template <Activation kAct>
struct NormSums {
  static constexpr int kTerms = kAct == Activation::prelu ? 3 : 2;
  Norm norm;
  NormActInputs<float> in;
  const float *dy, *x, *mean, *inverse;
  template <int W>
  __device__ SumsChannels<W, kAct, kTerms> of(int64_t segment, int64_t column) const {
    return {{norm, in, mean, inverse, segment, column}, dy + column, x + column, norm.g.dy_pitch(), norm.g.x_pitch()};
  }
};

// dx = scale g - level - tilt (x - m): per group and mean, with averages over the rows and channels of a mean,
//   level = d avg(weight g),  tilt = d^3 avg(weight g (x - m)).
struct Averages {
  float *level, *tilt;  // [groups, stats]
};
struct ParameterGradients {
  float *weight, *bias, *slope;
};
// Block (group, y): level and tilt for up to 8 means. Block (groups, y): the gradients of weight, bias and slopes for
// up to 8 channels, over the parts of all groups. Block (groups + 1, 0): that of a slope shared by all channels.
template <int kTerms>
__global__ void __launch_bounds__(kChannelThreads)
    norm_totals_kernel(Norm norm, ChannelGrid parts, const float* weight, const float* inverse, const double* sums,
                       Averages averages, ParameterGradients d) {
  const NormActSpec& g = norm.g;
  const int64_t groups = g.groups(), parts_of_group = groups > 0 ? parts.parts() / groups : 0, group = blockIdx.x;
  if (group == groups + 1) {
    if (g.slopes != 1 || !d.slope || blockIdx.y > 0) return;
    double total[1] = {};
    for (int64_t i = threadIdx.x; kTerms == 3 && i < parts.parts() * g.c; i += kChannelThreads)
      total[0] += sums[(i / g.c * kTerms + kTerms - 1) * g.c + i % g.c];
    sum_rows_of_block(total, 1, kChannelThreads);
    if (threadIdx.x == 0) *d.slope = float(total[0]);
    return;
  }
  const bool parameters = group == groups;
  if (!parameters && !averages.level) return;
  const TotalsShare share = totals_share(parameters ? g.c : norm.stats(), blockIdx.y);
  double total[3] = {};
  if (parameters) {
    for (int64_t part = share.row; !share.idle && part < parts.parts(); part += share.at_once) {
      const double* at = sums + part * kTerms * g.c + share.column;
      const int64_t s = (part / parts_of_group) * norm.stats() + share.column / norm.width;
      total[0] += at[0];
      total[1] += at[g.c] * double(inverse[s]);
      if constexpr (kTerms == 3) total[2] += at[2 * g.c];
    }
  } else {
    for (int64_t i = share.row; !share.idle && i < parts_of_group * norm.width; i += share.at_once) {
      const int64_t c = share.column * norm.width + i % norm.width, part = group * parts_of_group + i / norm.width;
      const double* at = sums + part * kTerms * g.c + c;
      const double w = weight ? double(weight[c]) : 1.0;
      total[0] += w * at[0];
      total[1] += w * at[g.c];
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
  const int64_t s = group * norm.stats() + share.column;
  const double inv = double(inverse[s]), count = double(g.group_rows() * norm.width);
  averages.level[s] = float(inv * (total[0] / count));
  averages.tilt[s] = float(inv * inv * inv * (total[1] / count));
}

template <int W, Activation kAct>
struct BackwardChannels {
  NormChannels<W, kAct> channels;
  Pack<W> level, tilt;
  const float *dy, *x;
  float* dx;
  int64_t dy_pitch, x_pitch, dx_pitch;
  __device__ Gradients<W> read(int64_t row) const { return {load<W>(dy + row * dy_pitch), load<W>(x + row * x_pitch)}; }
  __device__ void write(int64_t row, const Gradients<W>& v) const {
    Pack<W> out;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      float unused = 0;
      const float g = channels.gradient(j, v.dy.v[j], v.x.v[j], unused);
      const float taken = fmaf(tilt.v[j], v.x.v[j] - channels.mean.v[j], level.v[j]);
      out.v[j] = fmaf(channels.scale.v[j], g, -taken);
    }
    store(dx + row * dx_pitch, out);
  }
};
template <Activation kAct>
struct NormBackward {
  Norm norm;
  NormActInputs<float> in;
  const float *dy, *x, *mean, *inverse;
  Averages averages;  // nulls where the statistics are frozen
  float* dx;
  template <int W>
  __device__ BackwardChannels<W, kAct> of(int64_t segment, int64_t column) const {
    BackwardChannels<W, kAct> b{{norm, in, mean, inverse, segment, column},
                                {},
                                {},
                                dy + column,
                                x + column,
                                dx + column,
                                norm.g.dy_pitch(),
                                norm.g.x_pitch(),
                                norm.g.dx_pitch()};
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const int64_t s = norm.stat(segment, column + j);
      b.level.v[j] = averages.level ? averages.level[s] : 0.0f;
      b.tilt.v[j] = averages.tilt ? averages.tilt[s] : 0.0f;
    }
    return b;
  }
};

// f.operator()<activation>()
template <class F>
void for_activation(Activation act, F&& f) {
  switch (act) {
    case Activation::identity:
      return f.template operator()<Activation::identity>();
    case Activation::relu:
      return f.template operator()<Activation::relu>();
    case Activation::prelu:
      return f.template operator()<Activation::prelu>();
  }
}

}  // namespace

// Scratch: the moments of forward; or the sums of backward, then level and tilt.
size_t norm_cuda_workspace(const NormActSpec& g, int64_t width) {
  const Norm norm{g, width};
  const size_t forward = norm.statistics_grid().sums_bytes(2),
               backward = norm.grid().sums_bytes(3) + size_t(2 * g.groups() * norm.stats()) * sizeof(float);
  return forward > backward ? forward : backward;
}

void norm_cuda_forward(const Exec& exec, const NormActSpec& g, int64_t width, const float* x,
                       const NormActInputs<float>& in, const float* residual, float* y, float* mean, float* inverse) {
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

void norm_cuda_apply(const Exec& exec, const NormActSpec& g, int64_t width, const float* x,
                     const NormActInputs<float>& in, const float* mean, const float* inverse, const float* residual,
                     float* y) {
  const Norm norm{g, width};
  for_activation(g.act, [&]<Activation kAct>() {
    channel_walk("norm_act apply", exec, norm.grid(), {{x, g.x_pitch()}, {residual, g.r_pitch()}, {y, g.y_pitch()}},
                 NormApply<kAct>{norm, in, x, mean, inverse, residual, y});
  });
}

void norm_cuda_backward(const Exec& exec, const NormActSpec& g, int64_t width, const float* dy, const float* x,
                        const NormActInputs<float>& in, const float* mean, const float* inverse, float* dx,
                        float* dweight, float* dbias, float* dslope) {
  const Norm norm{g, width};
  const ChannelGrid grid = norm.grid();
  double* sums = static_cast<double*>(exec.scratch);
  Averages averages{};
  if (!g.frozen) {
    averages.level = reinterpret_cast<float*>(sums + grid.sums_bytes(3) / sizeof(double));
    averages.tilt = averages.level + g.groups() * norm.stats();
  }
  const ParameterGradients d{dweight, dbias, dslope};
  for_activation(g.act, [&]<Activation kAct>() {
    constexpr int kTerms = NormSums<kAct>::kTerms;
    if (!g.frozen || dweight || dbias || dslope) {
      channel_sums("norm_act sums of gradients", exec, grid, {{dy, g.dy_pitch()}, {x, g.x_pitch()}},
                   NormSums<kAct>{norm, in, dy, x, mean, inverse}, sums);
      const int64_t of_means = totals_tiles(norm.stats()), of_channels = totals_tiles(g.c),
                    tiles = of_means > of_channels ? of_means : of_channels;
      KERN_LAUNCH(norm_totals_kernel<kTerms>,
                  LaunchConfig{.grid = dim3(unsigned(g.groups() + 2), unsigned(tiles)),
                               .block = kChannelThreads,
                               .stream = stream_of(exec)},
                  norm, grid, in.weight, inverse, sums, averages, d);
    }
    if (dx)
      channel_walk("norm_act backward", exec, grid, {{dy, g.dy_pitch()}, {x, g.x_pitch()}, {dx, g.dx_pitch()}},
                   NormBackward<kAct>{norm, in, dy, x, mean, inverse, averages, dx});
  });
}

NormActRow norm_act_cuda_row() {
  return {
      .name = "cuda",
      .device = Device::cuda,
      .supports = supports_all,
      .workspace = [](const NormActSpec& g) { return norm_cuda_workspace(g, 1); },
      .forward = [](const Exec& exec, const NormActSpec& g, const float* x, const NormActInputs<float>& in,
                    const float* residual, float* y, float* mean,
                    float* inverse) { norm_cuda_forward(exec, g, 1, x, in, residual, y, mean, inverse); },
      .apply = [](const Exec& exec, const NormActSpec& g, const float* x, const NormActInputs<float>& in,
                  const float* mean, const float* inverse, const float* residual,
                  float* y) { norm_cuda_apply(exec, g, 1, x, in, mean, inverse, residual, y); },
      .backward =
          [](const Exec& exec, const NormActSpec& g, const float* dy, const float* x, const NormActInputs<float>& in,
             const float* mean, const float* inverse, float* dx, float* dweight, float* dbias,
             float* dslope) { norm_cuda_backward(exec, g, 1, dy, x, in, mean, inverse, dx, dweight, dbias, dslope); }};
}

}  // namespace kern::kernels
