// The SIMD implementations of norm_act: two passes over units of rows (common/row_units-inl.h).
#include <cmath>
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/norm/norm_act.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm/norm_act_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/exponential-inl.h"
#include "kernels/common/row_units-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int kTerms = 3;  // sums a channel: mean and squares forward; g, g (x - m), slope backward

Units units_of(const NormActSpec& g) { return {g.n, g.rows, g.c}; }

// Scratch: the sums of every unit, then the keep factors of every sample.
double* sums_of(const Exec& exec, const Units& u, int64_t unit) {
  return static_cast<double*>(exec.scratch) + unit * kTerms * u.c;
}
float* keeps_of(const Exec& exec, const Units& u) {
  return reinterpret_cast<float*>(static_cast<double*>(exec.scratch) + u.count() * kTerms * u.c);
}
size_t workspace(const NormActSpec& g) {
  const Units u = units_of(g);
  return size_t(u.count() * kTerms * u.c) * sizeof(double) + (g.p > 0 ? size_t(g.n * g.c + 3) * sizeof(float) : 0);
}

void draw_keeps(const NormActSpec& g, uint64_t step, float* keeps) {
  const DropoutSpec drop = g.dropout();
  const float scale = drop.scale();
  for (int64_t i = 0; i < g.n * g.c; i += 4) {
    const Random4 words = drop.words(step, i / 4);
    for (int k = 0; k < 4; ++k) keeps[i + k] = drop.keeps(words.v[k]) ? scale : 0.0f;
  }
}

// What u, keep and the activation need, per channel of a sample, ready to be spread over a strip.
struct Channels {
  const NormActSpec& g;
  const NormActInputs<float>& in;
  const float *mean, *inverse_deviation, *keep;  // of the sample
  float scale(int64_t c) const { return in.weight ? inverse_deviation[c] * in.weight[c] : inverse_deviation[c]; }
  float bias(int64_t c) const { return in.bias ? in.bias[c] : 0.0f; }
  float slope(int64_t c) const { return g.act == Activation::prelu ? in.slope[g.slope_of(c)] : 0.0f; }
};
Channels channels_of(const NormActSpec& g, const NormActInputs<float>& in, const float* mean, const float* inverse,
                     const float* keeps, int64_t sample) {
  const int64_t at = g.per_sample ? sample * g.c : 0;
  return {g, in, mean + at, inverse + at, keeps ? keeps + sample * g.c : nullptr};
}

template <Activation kAct, bool kDrop>
void apply_unit(const NormActSpec& g, const Channels& ch, const float* x, const float* residual, int64_t begin,
                int64_t size, float* y) {
  const int64_t xp = g.x_pitch(), yp = g.y_pitch(), rp = g.r_pitch();
  for_each_strip(g.c, xp == g.c && yp == g.c && (!residual || rp == g.c), [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shift[kStripLanes], scale[kStripLanes], bias[kStripLanes], slope[kStripLanes], keep[kStripLanes];
    t.spread(shift, [&](int64_t j) { return ch.mean[t.column + j]; });
    t.spread(scale, [&](int64_t j) { return ch.scale(t.column + j); });
    t.spread(bias, [&](int64_t j) { return ch.bias(t.column + j); });
    if constexpr (kAct == Activation::prelu) t.spread(slope, [&](int64_t j) { return ch.slope(t.column + j); });
    if constexpr (kDrop) t.spread(keep, [&](int64_t j) { return ch.keep[t.column + j]; });
    const float *from = x + begin * xp + t.column, *across = residual ? residual + begin * rp + t.column : nullptr;
    float* to = y + begin * yp + t.column;
    t.walk(0, size, [&](int64_t row, int64_t at, auto part) {
      Vec u = hn::MulAdd(hn::Sub(part.load(from + row * xp + at), hn::Load(d, shift + at)), hn::Load(d, scale + at),
                         hn::Load(d, bias + at));
      const Vec zero = hn::Zero(d);
      if constexpr (kAct == Activation::relu || kAct == Activation::relu6) u = hn::IfThenElse(hn::Le(u, zero), zero, u);
      if constexpr (kAct == Activation::relu6) {
        const Vec six = hn::Set(d, 6.0f);
        u = hn::IfThenElse(hn::Ge(u, six), six, u);
      }
      if constexpr (kAct == Activation::prelu)
        u = hn::IfThenElse(hn::Gt(u, zero), u, hn::Mul(u, hn::Load(d, slope + at)));
      if constexpr (kAct == Activation::silu) u = hn::Mul(u, vector_sigmoid(u));
      if constexpr (kDrop) {
        const Vec k = hn::Load(d, keep + at);
        u = hn::IfThenElse(hn::Eq(k, zero), zero, hn::Mul(u, k));
      }
      if (across) u = hn::Add(u, part.load(across + row * rp + at));
      part.store(u, to + row * yp + at);
    });
  });
}

// g = dy keep act'(u), and u dy keep where u <= 0.
template <Activation kAct, bool kDrop>
HWY_INLINE Vec gradient(Vec dy, Vec centred, const float* scale, const float* bias, const float* slope,
                        const float* keep, Vec& for_slope) {
  const Vf d;
  const Vec zero = hn::Zero(d);
  if constexpr (kDrop) {
    const Vec k = hn::Load(d, keep);
    dy = hn::IfThenElse(hn::Eq(k, zero), zero, hn::Mul(dy, k));
  }
  if constexpr (kAct == Activation::identity) return dy;
  const Vec u = hn::MulAdd(centred, hn::Load(d, scale), hn::Load(d, bias));
  if constexpr (kAct == Activation::relu) return hn::IfThenElse(hn::Le(u, zero), zero, dy);
  if constexpr (kAct == Activation::relu6)
    return hn::IfThenElse(hn::Or(hn::Le(u, zero), hn::Ge(u, hn::Set(d, 6.0f))), zero, dy);
  if constexpr (kAct == Activation::silu) {
    const Vec s = vector_sigmoid(u);  // dy s (1 + u (1 - s))
    return hn::Mul(dy, hn::MulAdd(s, hn::NegMulAdd(u, s, u), s));
  }
  const auto positive = hn::Gt(u, zero);
  for_slope = hn::IfThenElse(positive, zero, hn::Mul(u, dy));
  return hn::IfThenElse(positive, dy, hn::Mul(dy, hn::Load(d, slope)));
}

template <Activation kAct, bool kDrop>
void sums_of_unit(const NormActSpec& g, const Channels& ch, const float* dy, const float* x, int64_t begin,
                  int64_t size, double* sums) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch();
  constexpr int kUsed = kAct == Activation::prelu ? 3 : 2;
  for_each_strip(g.c, xp == g.c && dyp == g.c, [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shift[kStripLanes], scale[kStripLanes], bias[kStripLanes], slope[kStripLanes], keep[kStripLanes];
    t.spread(shift, [&](int64_t j) { return ch.mean[t.column + j]; });
    if constexpr (kAct != Activation::identity) {
      t.spread(scale, [&](int64_t j) { return ch.scale(t.column + j); });
      t.spread(bias, [&](int64_t j) { return ch.bias(t.column + j); });
    }
    if constexpr (kAct == Activation::prelu) t.spread(slope, [&](int64_t j) { return ch.slope(t.column + j); });
    if constexpr (kDrop) t.spread(keep, [&](int64_t j) { return ch.keep[t.column + j]; });
    const float *from_dy = dy + begin * dyp + t.column, *from_x = x + begin * xp + t.column;
    double total[kUsed][kStripLanes];
    sum_rows<kUsed>(t, 0, size, total, [&](int64_t row, int64_t at, auto part, Vec(&sum)[kUsed]) {
      const Vec centred = hn::Sub(part.load(from_x + row * xp + at), hn::Load(d, shift + at));
      Vec for_slope = hn::Zero(d);
      sum[0] = gradient<kAct, kDrop>(part.load(from_dy + row * dyp + at), centred, scale + at, bias + at, slope + at,
                                     keep + at, for_slope);
      sum[1] = hn::Mul(sum[0], centred);
      if constexpr (kUsed == 3) sum[2] = for_slope;
    });
    for (int k = 0; k < kTerms; ++k)
      for (int64_t j = 0; j < t.width; ++j) sums[k * g.c + t.column + j] = k < kUsed ? total[k < kUsed ? k : 0][j] : 0;
  });
}

// dx = scale (g - average - variance_term (x - m)); `sums` of the group.
template <Activation kAct, bool kDrop>
void gradient_unit(const NormActSpec& g, const Channels& ch, const float* dy, const float* x, const double* sums,
                   int64_t begin, int64_t size, float* dx) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  const double rows = double(g.group_rows());
  for_each_strip(g.c, xp == g.c && dyp == g.c && dxp == g.c, [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shift[kStripLanes], scale[kStripLanes], bias[kStripLanes], slope[kStripLanes], keep[kStripLanes],
        average[kStripLanes], variance_term[kStripLanes];
    t.spread(shift, [&](int64_t j) { return ch.mean[t.column + j]; });
    t.spread(scale, [&](int64_t j) { return ch.scale(t.column + j); });
    if constexpr (kAct != Activation::identity) t.spread(bias, [&](int64_t j) { return ch.bias(t.column + j); });
    if constexpr (kAct == Activation::prelu) t.spread(slope, [&](int64_t j) { return ch.slope(t.column + j); });
    if constexpr (kDrop) t.spread(keep, [&](int64_t j) { return ch.keep[t.column + j]; });
    t.spread(average, [&](int64_t j) { return g.frozen ? 0.0f : float(sums[t.column + j] / rows); });
    t.spread(variance_term, [&](int64_t j) {
      const double inverse = double(ch.inverse_deviation[t.column + j]);
      return g.frozen ? 0.0f : float(sums[g.c + t.column + j] / rows * inverse * inverse);
    });
    const float *from_dy = dy + begin * dyp + t.column, *from_x = x + begin * xp + t.column;
    float* to = dx + begin * dxp + t.column;
    t.walk(0, size, [&](int64_t row, int64_t at, auto part) {
      const Vec centred = hn::Sub(part.load(from_x + row * xp + at), hn::Load(d, shift + at));
      Vec unused = hn::Zero(d);
      const Vec from = gradient<kAct, kDrop>(part.load(from_dy + row * dyp + at), centred, scale + at, bias + at,
                                             slope + at, keep + at, unused);
      part.store(hn::Mul(hn::Load(d, scale + at), hn::NegMulAdd(hn::Load(d, variance_term + at), centred,
                                                                hn::Sub(from, hn::Load(d, average + at)))),
                 to + row * dxp + at);
    });
  });
}

// f.operator()<activation, dropout>()
template <class F>
void for_case(const NormActSpec& g, F&& f) {
  auto with = [&]<Activation kAct>() {
    if (g.p > 0) f.template operator()<kAct, true>();
    else f.template operator()<kAct, false>();
  };
  switch (g.act) {
    case Activation::identity:
      return with.template operator()<Activation::identity>();
    case Activation::relu:
      return with.template operator()<Activation::relu>();
    case Activation::prelu:
      return with.template operator()<Activation::prelu>();
    case Activation::relu6:
      return with.template operator()<Activation::relu6>();
    case Activation::silu:
      return with.template operator()<Activation::silu>();
  }
}

const float* prepare_keeps(const Exec& exec, const NormActSpec& g, const Units& u, const uint64_t* step) {
  if (!(g.p > 0)) return nullptr;
  float* keeps = keeps_of(exec, u);
  draw_keeps(g, *step, keeps);
  return keeps;
}

template <Activation kAct, bool kDrop>
void forward_case(const Exec& exec, const NormActSpec& g, bool statistics, const float* x,
                  const NormActInputs<float>& in, const float* residual, float* y, float* mean, float* inverse) {
  const Units u = units_of(g);
  const float* keeps = prepare_keeps(exec, g, u, in.step);
  in_two_passes(
      u, g.per_sample, statistics,
      [&](int64_t unit) { moments_of_rows(x, g.x_pitch(), g.c, u.begin(unit), u.size(unit), sums_of(exec, u, unit)); },
      [&](int64_t group, int64_t first, int64_t last) {
        merge_moments(u, sums_of(exec, u, 0), kTerms * g.c, first, last);
        const double *m = sums_of(exec, u, first), *squares = m + g.c, rows = double(g.group_rows());
        for (int64_t c = 0; c < g.c; ++c) {
          const double variance = squares[c] / rows;
          mean[group * g.c + c] = float(m[c]);
          inverse[group * g.c + c] = float(1 / std::sqrt(variance + double(g.eps)));
          if (!g.updates() || !in.running_mean) continue;
          const double momentum = double(g.momentum);
          in.running_mean[c] = float((1 - momentum) * double(in.running_mean[c]) + momentum * m[c]);
          in.running_variance[c] =
              float((1 - momentum) * double(in.running_variance[c]) + momentum * variance * g.unbiased());
        }
      },
      [&](int64_t unit) {
        apply_unit<kAct, kDrop>(g, channels_of(g, in, mean, inverse, keeps, unit / u.per_sample), x, residual,
                                u.begin(unit), u.size(unit), y);
      });
}

void forward(const Exec& exec, const NormActSpec& g, const float* x, const NormActInputs<float>& in,
             const float* residual, float* y, float* mean, float* inverse) {
  if (g.frozen || g.n * g.rows == 0)  // of nothing, mean and variance are 0
    for (int64_t c = 0; c < g.groups() * g.c; ++c) {
      mean[c] = g.frozen ? in.running_mean[c] : 0.0f;
      inverse[c] = float(1 / std::sqrt((g.frozen ? double(in.running_variance[c]) : 0.0) + double(g.eps)));
    }
  for_case(g, [&]<Activation kAct, bool kDrop>() {
    forward_case<kAct, kDrop>(exec, g, !g.frozen, x, in, residual, y, mean, inverse);
  });
}
void apply(const Exec& exec, const NormActSpec& g, const float* x, const NormActInputs<float>& in, const float* mean,
           const float* inverse, const float* residual, float* y) {
  for_case(g, [&]<Activation kAct, bool kDrop>() {
    forward_case<kAct, kDrop>(exec, g, false, x, in, residual, y, const_cast<float*>(mean),
                              const_cast<float*>(inverse));
  });
}

template <Activation kAct, bool kDrop>
void backward_case(const Exec& exec, const NormActSpec& g, const float* dy, const float* x,
                   const NormActInputs<float>& in, const float* mean, const float* inverse, float* dx, float* dweight,
                   float* dbias, float* dslope) {
  const Units u = units_of(g);
  const float* keeps = prepare_keeps(exec, g, u, in.step);
  auto channels = [&](int64_t unit) { return channels_of(g, in, mean, inverse, keeps, unit / u.per_sample); };
  const bool sums = !g.frozen || dweight || dbias || dslope;
  const int64_t units_of_group = g.per_sample ? u.per_sample : u.count();
  in_two_passes(
      u, g.per_sample, sums,
      [&](int64_t unit) {
        sums_of_unit<kAct, kDrop>(g, channels(unit), dy, x, u.begin(unit), u.size(unit), sums_of(exec, u, unit));
      },
      [&](int64_t, int64_t first, int64_t last) {
        merge_sums(u, sums_of(exec, u, 0), kTerms * g.c, kTerms, first, last);
      },
      [&](int64_t unit) {
        if (dx)
          gradient_unit<kAct, kDrop>(g, channels(unit), dy, x, sums_of(exec, u, unit / units_of_group * units_of_group),
                                     u.begin(unit), u.size(unit), dx);
      });
  auto total = [&](int term, int64_t c, bool normed) {  // over the groups, in order
    double sum = 0;
    for (int64_t group = 0; u.count() > 0 && group < g.groups(); ++group)
      sum +=
          sums_of(exec, u, group * units_of_group)[term * g.c + c] * (normed ? double(inverse[group * g.c + c]) : 1.0);
    return sum;
  };
  for (int64_t c = 0; dweight && c < g.c; ++c) dweight[c] = float(total(1, c, true));
  for (int64_t c = 0; dbias && c < g.c; ++c) dbias[c] = float(total(0, c, false));
  if (dslope && g.slopes == 1) {
    double sum = 0;
    for (int64_t c = 0; c < g.c; ++c) sum += total(2, c, false);
    *dslope = float(sum);
  } else if (dslope) {
    for (int64_t c = 0; c < g.c; ++c) dslope[c] = float(total(2, c, false));
  }
}
void backward(const Exec& exec, const NormActSpec& g, const float* dy, const float* x, const NormActInputs<float>& in,
              const float* mean, const float* inverse, float* dx, float* dweight, float* dbias, float* dslope) {
  for_case(g, [&]<Activation kAct, bool kDrop>() {
    backward_case<kAct, kDrop>(exec, g, dy, x, in, mean, inverse, dx, dweight, dbias, dslope);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
NormActImpl norm_act_simd_impl<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const NormActSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .apply = HWY_NAMESPACE::apply,
          .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels
