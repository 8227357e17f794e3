// norm_act: norm, activation, dropout of channels and a residual in one op, for what follows a convolution:
//   y[i,c] = keep[n,c] act(u[i,c]) + residual[i,c],  u = weight[c] z + bias[c],  z = (x[i,c] - m[c]) d[c]
// Impl i belongs to sample n = i / rows. m and d = 1 / sqrt(v + eps) come from the sample's own implementations (per_sample: an
// instance norm), from all rows (a batch norm, which also moves the running statistics, see batch_norm.h), or are the
// running ones (frozen). act is the identity, ReLU, ReLU6 (min(max(u, 0), 6)), SiLU (u / (1 + exp(-u))), or u > 0 ? u : slope u with one slope or one
// per channel (PReLU).
// keep is 1 without dropout, else 1 / (1 - p) or 0, drawn as dropout.h says with span = rows.
// Backward, with g = dy keep act'(u) and averages over the rows that m was taken from:
//   dx       = weight d (g - avg g - z avg(g z));  frozen: weight d g
//   dweight  = sum g z,  dbias = sum g,  dslope = sum over u <= 0 of dy keep u,  dresidual = dy
// x is read twice and y written once, instead of three ops that read and write five times; nothing but x is kept for
// backward.
// Layouts: x, y, dx, dy, residual [n rows, C]; mean, inverse_deviation [n, C] per sample, else [C]; slope [slopes];
// weight, bias and residual may be null.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/simd.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/norm/batch_norm.h"

namespace kern::kernels {

enum class Activation { identity, relu, prelu, relu6, silu };

struct NormActSpec {
  int64_t n = 0, rows = 1, c = 1;  // rows of one sample
  bool per_sample = false, frozen = false;
  float eps = 1e-5f, momentum = 0.1f;
  Activation act = Activation::identity;
  int64_t slopes = 1;  // of prelu: 1 or C
  float p = 0;         // probability that a channel of a sample is dropped
  PhiloxKey key;
  uint32_t call = 0;
  Pitches pitch;
  int64_t residual_pitch = 0;

  constexpr int64_t x_pitch() const { return pitch_or(pitch.x, c); }
  constexpr int64_t y_pitch() const { return pitch_or(pitch.y, c); }
  constexpr int64_t dx_pitch() const { return pitch_or(pitch.dx, c); }
  constexpr int64_t dy_pitch() const { return pitch_or(pitch.dy, c); }
  constexpr int64_t r_pitch() const { return pitch_or(residual_pitch, c); }
  constexpr int64_t groups() const { return per_sample ? n : 1; }  // of rows with one mean
  constexpr int64_t group_rows() const { return per_sample ? rows : n * rows; }
  constexpr int64_t slope_of(int64_t channel) const { return slopes == 1 ? 0 : channel; }
  constexpr ChannelNorm norm() const {
    return {.groups = groups(),
            .rows = group_rows(),
            .c = c,
            .eps = eps,
            .frozen = frozen,
            .x_pitch = x_pitch(),
            .y_pitch = y_pitch(),
            .dx_pitch = dx_pitch(),
            .dy_pitch = dy_pitch()};
  }
  constexpr DropoutSpec dropout() const {
    return {.rows = n * rows, .c = c, .span = rows, .p = p, .key = key, .call = call};
  }
  constexpr bool updates() const { return !per_sample && !frozen && n * rows > 1; }
  constexpr double unbiased() const { return double(n * rows) / double(n * rows - 1); }
  bool operator==(const NormActSpec&) const = default;
};

// What an application of the norm reads besides x; null where absent. step [1] as dropout.h says, null without dropout.
template <class T>
struct NormActInputs {
  const T *weight = nullptr, *bias = nullptr, *slope = nullptr;
  const uint64_t* step = nullptr;
  T *running_mean = nullptr, *running_variance = nullptr;
};

// f(row, channel, statistics index, keep) over everything.
template <class T, class F>
void norm_act_for_each(const NormActSpec& g, const uint64_t* step, F&& f) {
  const DropoutSpec drop = g.dropout();
  for (int64_t i = 0; i < g.n * g.rows; ++i)
    for (int64_t c = 0; c < g.c; ++c) {
      const int64_t n = i / g.rows, mask = n * g.c + c;
      T keep(1);
      if (g.p > 0) keep = drop.keeps(drop.words(*step, mask / 4).v[mask % 4]) ? T(drop.scale()) : T(0);
      f(i, c, g.per_sample ? mask : c, keep);
    }
}

template <Scalar T>
void norm_act_apply_reference(const NormActSpec& g, const T* x, const NormActInputs<T>& in, const T* mean,
                              const T* inverse_deviation, const T* residual, T* y) {
  norm_act_for_each<T>(g, in.step, [&](int64_t i, int64_t c, int64_t s, T keep) {
    const T z = (x[i * g.x_pitch() + c] - mean[s]) * inverse_deviation[s];
    T u = z * (in.weight ? in.weight[c] : T(1)) + (in.bias ? in.bias[c] : T(0));
    const bool rectifies = g.act == Activation::relu || g.act == Activation::relu6;
    if (rectifies && real_part(u) <= 0) u = T(0);
    if (g.act == Activation::relu6 && real_part(u) >= 6) u = T(6);
    if (g.act == Activation::prelu && !(real_part(u) > 0)) u *= in.slope[g.slope_of(c)];
    if (g.act == Activation::silu) u /= T(1) + std::exp(-u);
    y[i * g.y_pitch() + c] =
        (real_part(keep) == 0 ? T(0) : keep * u) + (residual ? residual[i * g.r_pitch() + c] : T(0));
  });
}
template <Scalar T>
void norm_act_forward_reference(const NormActSpec& g, const T* x, const NormActInputs<T>& in, const T* residual, T* y,
                                T* mean, T* inverse_deviation) {
  if (!g.frozen) channel_moments_reference(g.norm(), x, mean, inverse_deviation);
  for (int64_t i = 0; i < g.groups() * g.c; ++i) {
    if (g.frozen) mean[i] = in.running_mean[i];
    const T variance = g.frozen ? in.running_variance[i] : inverse_deviation[i];
    inverse_deviation[i] = T(1) / std::sqrt(variance + T(g.eps));
    if (!g.updates() || !in.running_mean) continue;
    const T momentum(g.momentum), kept = T(1) - momentum;
    in.running_mean[i] = kept * in.running_mean[i] + momentum * mean[i];
    in.running_variance[i] = kept * in.running_variance[i] + momentum * variance * T(g.unbiased());
  }
  norm_act_apply_reference(g, x, in, mean, inverse_deviation, residual, y);
}
// dx may be null; so may dweight, dbias and dslope.
template <Scalar T>
void norm_act_backward_reference(const NormActSpec& g, const T* dy, const T* x, const NormActInputs<T>& in,
                                 const T* mean, const T* inverse_deviation, T* dx, T* dweight, T* dbias, T* dslope) {
  for (int64_t c = 0; c < g.c; ++c) {
    if (dweight) dweight[c] = T(0);
    if (dbias) dbias[c] = T(0);
    if (dslope && c < g.slopes) dslope[c] = T(0);
  }
  auto parts = [&](int64_t i, int64_t c, int64_t s, T keep) {  // z, g, and the slope's part
    struct Parts {
      T z, g, slope;
    } p;
    p.z = (x[i * g.x_pitch() + c] - mean[s]) * inverse_deviation[s];
    const T u = p.z * (in.weight ? in.weight[c] : T(1)) + (in.bias ? in.bias[c] : T(0));
    p.g = real_part(keep) == 0 ? T(0) : keep * dy[i * g.dy_pitch() + c];
    p.slope = T(0);
    const bool rectifies = g.act == Activation::relu || g.act == Activation::relu6;
    if (rectifies && real_part(u) <= 0) p.g = T(0);
    if (g.act == Activation::relu6 && real_part(u) >= 6) p.g = T(0);
    if (g.act == Activation::prelu && !(real_part(u) > 0)) {
      p.slope = p.g * u;
      p.g *= in.slope[g.slope_of(c)];
    }
    if (g.act == Activation::silu) {
      const T sigmoid = T(1) / (T(1) + std::exp(-u));
      p.g *= sigmoid * (T(1) + u * (T(1) - sigmoid));
    }
    return p;
  };
  for (int64_t c = 0; c < g.c; ++c)
    for (int64_t group = 0; group < g.groups(); ++group) {
      const int64_t s = group * g.c + c, first = group * g.group_rows(), last = first + g.group_rows();
      const DropoutSpec drop = g.dropout();
      auto keep_of = [&](int64_t i) {
        const int64_t mask = i / g.rows * g.c + c;
        if (g.p == 0) return T(1);
        return drop.keeps(drop.words(*in.step, mask / 4).v[mask % 4]) ? T(drop.scale()) : T(0);
      };
      T sum_g(0), sum_gz(0), sum_slope(0);
      for (int64_t i = first; i < last; ++i) {
        const auto p = parts(i, c, s, keep_of(i));
        sum_g += p.g, sum_gz += p.g * p.z, sum_slope += p.slope;
      }
      const T count = T(float(g.group_rows() > 0 ? g.group_rows() : 1)), w = in.weight ? in.weight[c] : T(1);
      for (int64_t i = first; dx && i < last; ++i) {
        const auto p = parts(i, c, s, keep_of(i));
        dx[i * g.dx_pitch() + c] =
            inverse_deviation[s] * w * (g.frozen ? p.g : p.g - sum_g / count - p.z * (sum_gz / count));
      }
      if (dweight) dweight[c] += sum_gz;
      if (dbias) dbias[c] += sum_g;
      if (dslope) dslope[g.slope_of(c)] += sum_slope;
    }
}

// T: what x, y, the residual and their gradients are in memory, float or Bf16. The rest is float.
template <class T>
struct NormActImplOf {
  const char* name;
  Device device;
  bool (*supports)(const NormActSpec&);
  size_t (*workspace)(const NormActSpec&);
  void (*forward)(const Exec&, const NormActSpec&, const T* x, const NormActInputs<float>&, const T* residual, T* y,
                  float* mean, float* inverse_deviation);
  // y again, from the mean and inverse deviation of a forward: bit for bit the same.
  void (*apply)(const Exec&, const NormActSpec&, const T* x, const NormActInputs<float>&, const float* mean,
                const float* inverse_deviation, const T* residual, T* y);
  // Every gradient may be null.
  void (*backward)(const Exec&, const NormActSpec&, const T* dy, const T* x, const NormActInputs<float>&,
                   const float* mean, const float* inverse_deviation, T* dx, float* dweight, float* dbias,
                   float* dslope);
};
using NormActImpl = NormActImplOf<float>;
template <class T = float>
const Registry<NormActImplOf<T>>& norm_act_registry();
template <Isa isa>
NormActImpl norm_act_simd_impl();  // norm_act_simd.cpp
template <class T>
NormActImplOf<T> norm_act_cuda_impl();  // norm_act.cu
template <class T>
NormActImplOf<T> norm_act_cuda_block_impl();  // norm_act_cuda_block.cu

}  // namespace kern::kernels
