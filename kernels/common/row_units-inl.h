// What norms over rows of channels share: the rows cut into units that fit the second-level cache, means and squares
// per channel of a unit, merged exactly, and the order of two passes. Each unit leaves its sums in doubles in a place
// of its own, and units are merged in order, so that any number of threads gives the same bits. Read once per
// instruction set; include after hwy/foreach_target.h.
#if defined(KERN_ROW_UNITS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_ROW_UNITS_INL_H
#undef KERN_ROW_UNITS_INL_H
#else
#define KERN_ROW_UNITS_INL_H
#endif

#include "kernels/common/row_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vec = hn::Vec<Vf>;

// n samples of `rows` rows of c channels; a unit is a run of rows of one sample.
struct Units {
  int64_t n, rows, c, grain, per_sample;  // units of a sample
  Units(int64_t samples, int64_t sample_rows, int64_t channels)
      : n(samples),
        rows(sample_rows),
        c(channels),
        grain(16384 / (c > 0 ? c : 1) > 64 ? 16384 / (c > 0 ? c : 1) : 64),
        per_sample(ceil_div(rows, grain)) {}
  int64_t count() const { return n * per_sample; }
  int64_t begin(int64_t unit) const { return unit / per_sample * rows + unit % per_sample * grain; }
  int64_t size(int64_t unit) const {
    const int64_t left = rows - unit % per_sample * grain;
    return left < grain ? left : grain;
  }
};

// Mean and sum of squared deviations per channel of rows [begin, begin + size): into sums[c] and sums[C + c]. Sums of
// differences from a near value (the first implementation, then the mean) stay small, so that floats serve within a chunk.
void moments_of_rows(const float* x, int64_t pitch, int64_t c, int64_t begin, int64_t size, double* sums) {
  for_each_strip(c, pitch == c, [&](const Strip& t) {
    const Vf d;
    const float* from = x + begin * pitch + t.column;
    HWY_ALIGN float near[kStripLanes];
    double total[2][kStripLanes];
    t.spread(near, [&](int64_t j) { return from[j]; });
    sum_rows<1>(t, 0, size, total, [&](int64_t row, int64_t at, auto part, Vec(&sum)[1]) {
      sum[0] = hn::Sub(part.load(from + row * pitch + at), hn::Load(d, near + at));
    });
    const double rows = double(size);
    for (int64_t j = 0; j < t.width; ++j) sums[t.column + j] = double(near[j]) + total[0][j] / rows;
    t.spread(near, [&](int64_t j) { return float(sums[t.column + j]); });
    sum_rows<2>(t, 0, size, total, [&](int64_t row, int64_t at, auto part, Vec(&sum)[2]) {
      sum[0] = hn::Sub(part.load(from + row * pitch + at), hn::Load(d, near + at));
      sum[1] = hn::Mul(sum[0], sum[0]);
    });
    for (int64_t j = 0; j < t.width; ++j) {  // near[j] is the mean but for its rounding
      const double rest = total[0][j] / rows, squares = total[1][j] - rest * total[0][j];
      sums[t.column + j] = double(near[j]) + rest;
      sums[c + t.column + j] = squares < 0 ? 0 : squares;  // a NaN stays one
    }
  });
}

// The moments of units [first, last), unit by unit `stride` values apart, into the first one's (Chan, Golub, LeVeque
// 1983).
void merge_moments(const Units& u, double* sums, int64_t stride, int64_t first, int64_t last) {
  double *mean = sums + first * stride, *squares = mean + u.c, before = double(u.size(first));
  for (int64_t unit = first + 1; unit < last; ++unit) {
    const double *more_mean = sums + unit * stride, *more_squares = more_mean + u.c, more = double(u.size(unit));
    for (int64_t c = 0; c < u.c; ++c) {
      const double step = more_mean[c] - mean[c];
      mean[c] += step * (more / (before + more));
      squares[c] += more_squares[c] + step * step * (before * more / (before + more));
    }
    before += more;
  }
}
// The sums of units [first, last), `terms` a channel, into the first one's.
void merge_sums(const Units& u, double* sums, int64_t stride, int terms, int64_t first, int64_t last) {
  for (int64_t unit = first + 1; unit < last; ++unit)
    for (int64_t i = 0; i < terms * u.c; ++i) sums[first * stride + i] += sums[unit * stride + i];
}

// first(unit) for all units, merge(group, first unit, last unit) per group, second(unit): sample by sample where every
// sample is a group and there are some, so that the second pass finds it in the cache, else each over everything.
// Without `two`, only the second.
template <class First, class Merge, class Second>
void in_two_passes(const Units& u, bool sample_is_group, bool two, First&& first, Merge&& merge, Second&& second) {
  if (u.count() == 0) return;
  if (two && sample_is_group && u.n >= 4) {
    parallel_for(u.n, 1, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const int64_t from = n * u.per_sample, to = from + u.per_sample;
        for (int64_t unit = from; unit < to; ++unit) first(unit);
        merge(n, from, to);
        for (int64_t unit = from; unit < to; ++unit) second(unit);
      }
    });
    return;
  }
  if (two) {
    parallel_for(u.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) first(unit);
    });
    if (sample_is_group)
      for (int64_t n = 0; n < u.n; ++n) merge(n, n * u.per_sample, (n + 1) * u.per_sample);
    else merge(0, 0, u.count());
  }
  parallel_for(u.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) second(unit);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
