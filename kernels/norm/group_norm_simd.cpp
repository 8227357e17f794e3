// The SIMD implementations of group_norm: two passes over units of rows, sample by sample (common/row_units-inl.h). What a group
// has in common is found per sample from its channels' sums and spread over its channels again.
#include <cmath>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/norm/group_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm/group_norm_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_units-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int kTerms = 2;  // a channel: mean and squares forward; dy and dy (x - m) backward

// Scratch: the sums of every unit in doubles, then two values for every channel of a sample.
Units units_of(const GroupNormSpec& g) { return {g.n, g.l, g.c}; }
struct Scratch {
  double* sums;   // [unit][kTerms][C]
  float* shared;  // [N][2][C]
  Scratch(const Exec& exec, const GroupNormSpec& g)
      : sums(static_cast<double*>(exec.scratch)),
        shared(reinterpret_cast<float*>(sums + units_of(g).count() * kTerms * g.c)) {}
};
size_t workspace(const GroupNormSpec& g) {
  return size_t(units_of(g).count() * kTerms * g.c) * sizeof(double) + size_t(2 * g.n * g.c) * sizeof(float);
}

// y = (x - shift) scale + bias, [C] each
void apply(const GroupNormSpec& g, const float* x, const float* shift, const float* scale, const float* bias,
           int64_t begin, int64_t size, float* y) {
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  for_each_strip(g.c, xp == g.c && yp == g.c, [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shifts[kStripLanes], scales[kStripLanes], biases[kStripLanes];
    t.spread(shifts, [&](int64_t j) { return shift[t.column + j]; });
    t.spread(scales, [&](int64_t j) { return scale[t.column + j]; });
    t.spread(biases, [&](int64_t j) { return bias ? bias[t.column + j] : 0.0f; });
    const float* from = x + begin * xp + t.column;
    float* to = y + begin * yp + t.column;
    t.walk(0, size, [&](int64_t row, int64_t at, auto part) {
      const Vec centred = hn::Sub(part.load(from + row * xp + at), hn::Load(d, shifts + at));
      part.store(hn::MulAdd(centred, hn::Load(d, scales + at), hn::Load(d, biases + at)), to + row * yp + at);
    });
  });
}

void forward(const Exec& exec, const GroupNormSpec& g, const GroupNorm::Forward<float>& a) {
  const float *const x = a.x, *const weight = a.weight, *const bias = a.bias;
  float *const y = a.y, *const mean = a.mean, *const inverse_deviation = a.inverse_deviation;
  const Units u = units_of(g);
  const Scratch s(exec, g);
  const int64_t stride = kTerms * g.c, width = g.width();
  for (int64_t k = 0; u.count() == 0 && k < g.n * g.groups; ++k)  // of nothing, mean and variance are 0
    mean[k] = 0, inverse_deviation[k] = float(1 / std::sqrt(double(g.eps)));
  in_two_passes(
      u, true, true,
      [&](int64_t unit) { moments_of_rows(x, g.x_pitch(), g.c, u.begin(unit), u.size(unit), s.sums + unit * stride); },
      [&](int64_t n, int64_t first, int64_t last) {
        merge_moments(u, s.sums, stride, first, last);
        // The moments of a group are those of its channels, merged the same way: all have L values.
        for (int64_t k = 0; k < g.groups; ++k) {
          const double *means = s.sums + first * stride + k * width, *squares = means + g.c;
          double m = 0, sum = 0;
          for (int64_t c = 0; c < width; ++c) m += means[c];
          m /= double(width);
          for (int64_t c = 0; c < width; ++c) sum += squares[c] + double(g.l) * (means[c] - m) * (means[c] - m);
          const double inverse = 1 / std::sqrt(sum / double(g.values()) + double(g.eps));
          mean[n * g.groups + k] = float(m), inverse_deviation[n * g.groups + k] = float(inverse);
          float *shift = s.shared + 2 * n * g.c + k * width, *scale = shift + g.c;
          for (int64_t c = 0; c < width; ++c) {
            shift[c] = float(m);
            scale[c] = weight ? float(inverse) * weight[k * width + c] : float(inverse);
          }
        }
      },
      [&](int64_t unit) {
        const float* shift = s.shared + unit / u.per_sample * 2 * g.c;
        apply(g, x, shift, shift + g.c, bias, u.begin(unit), u.size(unit), y);
      });
}

// The sums of dy and of dy (x - m) of rows [begin, begin + size); mean per group of the sample.
void add_gradients(const GroupNormSpec& g, const float* dy, const float* x, const float* mean, int64_t begin,
                   int64_t size, double* sums) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch();
  for_each_strip(g.c, xp == g.c && dyp == g.c, [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shifts[kStripLanes];
    t.spread(shifts, [&](int64_t j) { return mean[(t.column + j) / g.width()]; });
    const float *from_dy = dy + begin * dyp + t.column, *from_x = x + begin * xp + t.column;
    double total[kTerms][kStripLanes];
    sum_rows<kTerms>(t, 0, size, total, [&](int64_t row, int64_t at, auto part, Vec(&sum)[kTerms]) {
      sum[0] = part.load(from_dy + row * dyp + at);
      sum[1] = hn::Mul(sum[0], hn::Sub(part.load(from_x + row * xp + at), hn::Load(d, shifts + at)));
    });
    for (int k = 0; k < kTerms; ++k)
      for (int64_t j = 0; j < t.width; ++j) sums[k * g.c + t.column + j] = total[k][j];
  });
}
// dx = scale dy - average - variance_term (x - m): a scale per channel; m, average and variance_term per group, the last two [C].
void spread_gradient(const GroupNormSpec& g, const float* dy, const float* x, const float* weight, const float* mean,
                     const float* inverse_deviation, const float* average, const float* variance_term, int64_t begin,
                     int64_t size, float* dx) {
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  for_each_strip(g.c, xp == g.c && dyp == g.c && dxp == g.c, [&](const Strip& t) {
    const Vf d;
    HWY_ALIGN float shifts[kStripLanes], scales[kStripLanes], averages[kStripLanes], variance_terms[kStripLanes];
    t.spread(shifts, [&](int64_t j) { return mean[(t.column + j) / g.width()]; });
    t.spread(scales, [&](int64_t j) {
      return inverse_deviation[(t.column + j) / g.width()] * (weight ? weight[t.column + j] : 1.0f);
    });
    t.spread(averages, [&](int64_t j) { return average[t.column + j]; });
    t.spread(variance_terms, [&](int64_t j) { return variance_term[t.column + j]; });
    const float *from_dy = dy + begin * dyp + t.column, *from_x = x + begin * xp + t.column;
    float* to = dx + begin * dxp + t.column;
    t.walk(0, size, [&](int64_t row, int64_t at, auto part) {
      const Vec centred = hn::Sub(part.load(from_x + row * xp + at), hn::Load(d, shifts + at));
      const Vec mean_term =
          hn::MulSub(hn::Load(d, scales + at), part.load(from_dy + row * dyp + at), hn::Load(d, averages + at));
      part.store(hn::NegMulAdd(hn::Load(d, variance_terms + at), centred, mean_term), to + row * dxp + at);
    });
  });
}

void backward(const Exec& exec, const GroupNormSpec& g, const GroupNorm::Backward<float>& a) {
  const float *const dy = a.dy, *const x = a.x, *const weight = a.weight, *const mean = a.mean,
                     *const inverse_deviation = a.inverse_deviation;
  float *const dx = a.dx, *const dweight = a.dweight, *const dbias = a.dbias;
  const Units u = units_of(g);
  const Scratch s(exec, g);
  const int64_t stride = kTerms * g.c, width = g.width();
  in_two_passes(
      u, true, true,
      [&](int64_t unit) {
        add_gradients(g, dy, x, mean + unit / u.per_sample * g.groups, u.begin(unit), u.size(unit),
                      s.sums + unit * stride);
      },
      [&](int64_t n, int64_t first, int64_t last) {
        merge_sums(u, s.sums, stride, kTerms, first, last);
        for (int64_t k = 0; k < g.groups; ++k) {
          const double *sum_dy = s.sums + first * stride + k * width, *sum_dyx = sum_dy + g.c;
          double average = 0, variance_term = 0;
          for (int64_t c = 0; c < width; ++c) {
            const double w = weight ? double(weight[k * width + c]) : 1;
            average += w * sum_dy[c], variance_term += w * sum_dyx[c];
          }
          const double d = double(inverse_deviation[n * g.groups + k]), count = double(g.values());
          float *averages = s.shared + 2 * n * g.c + k * width, *variance_terms = averages + g.c;
          for (int64_t c = 0; c < width; ++c)
            averages[c] = float(d * average / count), variance_terms[c] = float(d * d * d * variance_term / count);
        }
      },
      [&](int64_t unit) {
        const int64_t n = unit / u.per_sample;
        const float* average = s.shared + n * 2 * g.c;
        if (dx)
          spread_gradient(g, dy, x, weight, mean + n * g.groups, inverse_deviation + n * g.groups, average,
                          average + g.c, u.begin(unit), u.size(unit), dx);
      });
  for (int64_t c = 0; c < g.c; ++c) {
    double sum_dy = 0, sum_dyz = 0;
    for (int64_t n = 0; u.count() > 0 && n < g.n; ++n) {
      const double* sums = s.sums + n * u.per_sample * stride + c;
      sum_dy += sums[0], sum_dyz += sums[g.c] * double(inverse_deviation[n * g.groups + c / width]);
    }
    if (dweight) dweight[c] = float(sum_dyz);
    if (dbias) dbias[c] = float(sum_dy);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
Implementation<GroupNorm> GroupNorm::simd<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const GroupNormSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels
