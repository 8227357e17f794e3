// What the norms' kernels on the GPU share: u, its activation and their gradients for the channels that a thread keeps
// to, as functors for channel_walk and channel_sums (kernels/common/channel_sums.cuh).
#pragma once
#include "kernels/common/channel_moments.cuh"
#include "kernels/common/late_sums.h"
#include "kernels/elementwise/dropout.cuh"
#include "kernels/norm/norm_act_cuda.h"

namespace kern::kernels {

// dx = scale g - mean_term - variance_term (x - m): per group and mean, with averages over the rows and channels of a mean,
//   mean_term = d avg(weight g),  variance_term = d^3 avg(weight g (x - m)).
struct Averages {
  float *mean_term, *variance_term;  // [groups, stats]
};

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
  // Scratch of backward: the sums of the parts, then mean_term and variance_term.
  size_t backward_bytes(const ChannelGrid& parts) const {
    return parts.sums_bytes(3) + size_t(2 * g.groups() * stats()) * sizeof(float);
  }
  Averages averages(const ChannelGrid& parts, double* scratch) const {
    float* mean_term = reinterpret_cast<float*>(scratch + parts.sums_bytes(3) / sizeof(double));
    return {mean_term, mean_term + g.groups() * stats()};
  }
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
    if constexpr (kAct == Activation::relu6) v = v <= 0 ? 0.0f : v >= 6 ? 6.0f : v;
    if constexpr (kAct == Activation::prelu) v = v > 0 ? v : v * slope.v[j];
    if constexpr (kAct == Activation::silu) v = v / (1.0f + expf(-v));
    return keep.v[j] == 0 ? 0.0f : __fmul_rn(keep.v[j], v);  // never one with the residual's sum: the same bits always
  }
  // g = dy keep act'(u); adds dy keep u where u <= 0 to for_slope.
  __device__ float gradient(int j, float dy, float x, float& for_slope) const {
    float v = keep.v[j] == 0 ? 0.0f : keep.v[j] * dy;
    if constexpr (kAct == Activation::relu) v = u(j, x) <= 0 ? 0.0f : v;
    if constexpr (kAct == Activation::relu6) {
      const float at = u(j, x);
      v = at <= 0 || at >= 6 ? 0.0f : v;
    }
    if constexpr (kAct == Activation::prelu) {
      const float at = u(j, x);
      if (!(at > 0)) for_slope += v * at, v *= slope.v[j];
    }
    if constexpr (kAct == Activation::silu) {
      const float at = u(j, x), s = 1.0f / (1.0f + expf(-at));
      v *= s * (1.0f + at * (1.0f - s));
    }
    return v;
  }
};

// --- forward ---
// y = keep act((x - m) d weight + bias) + residual
template <class T, int W, Activation kAct>
struct ApplyChannels {
  NormChannels<W, kAct> channels;
  const T *x, *residual;  // of the first channel
  T* y;
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
template <class T, Activation kAct>
struct NormApply {
  Norm norm;
  NormActInputs<float> in;
  const T* x;
  const float *mean, *inverse;
  const T* residual;
  T* y;
  template <int W>
  __device__ ApplyChannels<T, W, kAct> of(int64_t segment, int64_t column) const {
    return {{norm, in, mean, inverse, segment, column},
            x + column,
            residual ? residual + column : nullptr,
            y + column,
            norm.g.x_pitch(),
            norm.g.r_pitch(),
            norm.g.y_pitch()};
  }
};

// mean, inverse deviation and the running statistics, from the moments of mean s = group * stats + column.
__device__ __forceinline__ void finish_statistics(const Norm& norm, const NormActInputs<float>& in, int64_t group,
                                                  int64_t column, const Moments& all, float* mean, float* inverse) {
  const NormActSpec& g = norm.g;
  const int64_t s = group * norm.stats() + column;
  const double variance = g.frozen        ? double(in.running_variance[column])
                          : all.count > 0 ? all.squares / all.count
                                          : 0.0;
  mean[s] = g.frozen ? in.running_mean[column] : float(all.mean);
  inverse[s] = float(1 / sqrt(variance + double(g.eps)));
  if (!g.updates() || !in.running_mean) return;
  const double momentum = double(g.momentum);
  in.running_mean[column] = float((1 - momentum) * double(in.running_mean[column]) + momentum * all.mean);
  in.running_variance[column] =
      float((1 - momentum) * double(in.running_variance[column]) + momentum * variance * g.unbiased());
}

// --- backward ---
template <int W>
struct Gradients {
  Pack<W> dy, x;
};
// The sums of g, g (x - m) and, with slopes, of the slope's part.
template <class T, int W, Activation kAct, int kTerms>
struct SumsChannels {
  NormChannels<W, kAct> channels;
  const T *dy, *x;
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
template <class T, Activation kAct>
struct NormSums {
  static constexpr int kTerms = kAct == Activation::prelu ? 3 : 2;
  Norm norm;
  NormActInputs<float> in;
  const T *dy, *x;
  const float *mean, *inverse;
  template <int W>
  __device__ SumsChannels<T, W, kAct, kTerms> of(int64_t segment, int64_t column) const {
    return {{norm, in, mean, inverse, segment, column}, dy + column, x + column, norm.g.dy_pitch(), norm.g.x_pitch()};
  }
};

// From the sums of weight g and weight g (x - m) of mean s.
__device__ __forceinline__ void finish_averages(const Norm& norm, const Averages& to, int64_t s, const float* inverse,
                                                double sum, double centred) {
  const double d = double(inverse[s]), count = double(norm.g.group_rows() * norm.width);
  to.mean_term[s] = float(d * (sum / count));
  to.variance_term[s] = float(d * d * d * (centred / count));
}
struct ParameterGradients {
  float *weight, *bias, *slope;
};
// mean_term and variance_term for every group (not where averages are null), and the gradients of the parameters over all groups,
// from the sums of the parts, [part][terms][C]: a group's parts follow one another.
void norm_totals(const Exec&, const Norm&, const ChannelGrid& parts, int terms, const float* weight,
                 const float* inverse, const double* sums, const Averages&, const ParameterGradients&);
template <class T, int W, Activation kAct>
struct BackwardChannels {
  NormChannels<W, kAct> channels;
  Pack<W> mean_term, variance_term;
  const T *dy, *x;
  T* dx;
  int64_t dy_pitch, x_pitch, dx_pitch;
  __device__ Gradients<W> read(int64_t row) const { return {load<W>(dy + row * dy_pitch), load<W>(x + row * x_pitch)}; }
  __device__ void write(int64_t row, const Gradients<W>& v) const {
    Pack<W> out;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      float unused = 0;
      const float g = channels.gradient(j, v.dy.v[j], v.x.v[j], unused);
      const float taken = fmaf(variance_term.v[j], v.x.v[j] - channels.mean.v[j], mean_term.v[j]);
      out.v[j] = fmaf(channels.scale.v[j], g, -taken);
    }
    store(dx + row * dx_pitch, out);
  }
};
template <class T, Activation kAct>
struct NormBackward {
  Norm norm;
  NormActInputs<float> in;
  const T *dy, *x;
  const float *mean, *inverse;
  Averages averages;  // nulls where the statistics are frozen
  T* dx;
  template <int W>
  __device__ BackwardChannels<T, W, kAct> of(int64_t segment, int64_t column) const {
    BackwardChannels<T, W, kAct> b{{norm, in, mean, inverse, segment, column},
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
      b.mean_term.v[j] = averages.mean_term ? averages.mean_term[s] : 0.0f;
      b.variance_term.v[j] = averages.variance_term ? averages.variance_term[s] : 0.0f;
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
    case Activation::relu6:
      return f.template operator()<Activation::relu6>();
    case Activation::silu:
      return f.template operator()<Activation::silu>();
  }
}

}  // namespace kern::kernels
