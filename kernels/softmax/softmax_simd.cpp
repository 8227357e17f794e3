// The SIMD implementations of softmax and log_softmax: rows are folded with a row in every lane (common/row_lanes-inl.h), and what
// was found goes back over them as they lie, while they are in the nearest cache. Dense rows of two classes need no folding: a value's
// partner is its neighbour. The same bits either way.
#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/softmax/log_softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax/softmax_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

// f(first implementation, rows <= kLanes) for the blocks of all rows.
template <class F>
void for_each_block(const SoftmaxSpec& g, F&& f) {
  if (g.c == 0) return;
  const int64_t blocks = 16384 / (g.c * kLanes) > 1 ? 16384 / (g.c * kLanes) : 1;
  parallel_for(g.rows, blocks * kLanes, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) f(i, end - i < kLanes ? end - i : kLanes);
  });
}

// Rows of two: f(at, part) for the vectors of all values, each with whole rows.
template <class F>
void for_each_pair(const SoftmaxSpec& g, F&& f) {
  parallel_for(g.rows, 8192, [&](int64_t begin, int64_t end) {
    int64_t at = 2 * begin;
    for (; at + kLanes <= 2 * end; at += kLanes) f(at, Whole{});
    if (at < 2 * end) f(at, Part{int(2 * end - at)});
  });
}
HWY_INLINE Vec partner(Vec v) { return hn::Shuffle2301(v); }
// e^(x - max) of each value, and of its row the maximum and the sum of both.
struct PairFold {
  Vec max, e, sum;
  HWY_INLINE explicit PairFold(Vec x)
      : max(hn::Max(x, partner(x))), e(vector_exponential_of_negative(hn::Sub(x, max))), sum(hn::Add(e, partner(e))) {}
};

// Two vectors at a time, for one logarithm serves a row.
void log_softmax_of_pairs(const SoftmaxSpec& g, const float* x, float* y) {
  const Vf d;
  HWY_ALIGN int32_t row[2 * kLanes];
  for (int i = 0; i < 2 * kLanes; ++i) row[i] = i / 2;
  const auto first_half = hn::SetTableIndices(d, row), second_half = hn::SetTableIndices(d, row + kLanes);
  auto run = [&](int64_t at, auto part, auto second_part) HWY_ATTR {
    const Vec a = part.load(x + at), b = second_part.load(x + at + kLanes);
    const PairFold fold_a(a), fold_b(b);
    const Vec log_sums = vector_logarithm(hn::ConcatEven(d, fold_b.sum, fold_a.sum));
    part.store(hn::Sub(hn::Sub(a, fold_a.max), hn::TableLookupLanes(log_sums, first_half)), y + at);
    second_part.store(hn::Sub(hn::Sub(b, fold_b.max), hn::TableLookupLanes(log_sums, second_half)), y + at + kLanes);
  };
  parallel_for(g.rows, 8192, [&](int64_t begin, int64_t end) {
    int64_t at = 2 * begin;
    for (; at + 2 * kLanes <= 2 * end; at += 2 * kLanes) run(at, Whole{}, Whole{});
    const int rest = int(2 * end - at);
    if (rest > kLanes) run(at, Whole{}, Part{rest - kLanes});
    else if (rest > 0) run(at, Part{rest}, Part{0});
  });
}

void softmax_forward(const Exec&, const SoftmaxSpec& g, const Softmax::Forward<float>& a) {
  const float* const x = a.x;
  float* const y = a.y;
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  const bool dense = xp == g.c && yp == g.c && g.c <= kSegment;
  if (dense && g.c == 2)
    return for_each_pair(g, [&](int64_t at, auto part) {
      const PairFold fold(part.load(x + at));
      part.store(hn::Mul(fold.e, hn::Div(hn::Set(Vf(), 1.0f), fold.sum)), y + at);
    });
  const RowOfValue of(g.c);
  for_each_block(g, [&](int64_t i, int64_t rows) {
    RowLanes lanes(x, xp, g.c, i, g.rows);
    const RowFold fold = fold_exponentials(lanes);
    const Vec factor = hn::Div(hn::Set(Vf(), 1.0f), fold.sum);
    walk_rows(of, dense, rows, g.c, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const Vec v = part.load(x + (i + row) * xp + at);
      part.store(hn::Mul(vector_exponential_of_negative(hn::Sub(v, hn::TableLookupLanes(fold.max, row_of))),
                         hn::TableLookupLanes(factor, row_of)),
                 y + (i + row) * yp + at);
    });
  });
}
void softmax_backward(const Exec&, const SoftmaxSpec& g, const Softmax::Backward<float>& a) {
  const float *const dy = a.dy, *const y = a.y;
  float* const dx = a.dx;
  const int64_t dyp = g.dy_pitch(), yp = g.y_pitch(), dxp = g.dx_pitch();
  const bool dense = dyp == g.c && yp == g.c && dxp == g.c && g.c <= kSegment;
  if (dense && g.c == 2)
    return for_each_pair(g, [&](int64_t at, auto part) {
      const Vec p = part.load(y + at), d = part.load(dy + at);
      // The product of the row's first value is the one that is rounded, for both.
      const Vec average = hn::DupEven(hn::MulAdd(partner(p), partner(d), hn::Mul(p, d)));
      part.store(hn::Mul(p, hn::Sub(d, average)), dx + at);
    });
  const RowOfValue of(g.c);
  for_each_block(g, [&](int64_t i, int64_t rows) {
    RowLanes lanes(y, yp, g.c, i, g.rows), gradients(dy, dyp, g.c, i, g.rows);
    const Vec average = sum_products(lanes, gradients);
    walk_rows(of, dense, rows, g.c, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const Vec p = part.load(y + (i + row) * yp + at), d = part.load(dy + (i + row) * dyp + at);
      part.store(hn::Mul(p, hn::Sub(d, hn::TableLookupLanes(average, row_of))), dx + (i + row) * dxp + at);
    });
  });
}

void log_softmax_forward(const Exec&, const SoftmaxSpec& g, const Softmax::Forward<float>& a) {
  const float* const x = a.x;
  float* const y = a.y;
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  const bool dense = xp == g.c && yp == g.c && g.c <= kSegment;
  if (dense && g.c == 2) return log_softmax_of_pairs(g, x, y);
  const RowOfValue of(g.c);
  for_each_block(g, [&](int64_t i, int64_t rows) {
    RowLanes lanes(x, xp, g.c, i, g.rows);
    const RowFold fold = fold_exponentials(lanes);
    const Vec log_sum = vector_logarithm(fold.sum);
    walk_rows(of, dense, rows, g.c, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const Vec v = hn::Sub(part.load(x + (i + row) * xp + at), hn::TableLookupLanes(fold.max, row_of));
      part.store(hn::Sub(v, hn::TableLookupLanes(log_sum, row_of)), y + (i + row) * yp + at);
    });
  });
}
void log_softmax_backward(const Exec&, const SoftmaxSpec& g, const Softmax::Backward<float>& a) {
  const float *const dy = a.dy, *const y = a.y;
  float* const dx = a.dx;
  const int64_t dyp = g.dy_pitch(), yp = g.y_pitch(), dxp = g.dx_pitch();
  const bool dense = dyp == g.c && yp == g.c && dxp == g.c && g.c <= kSegment;
  if (dense && g.c == 2)
    return for_each_pair(g, [&](int64_t at, auto part) {
      const Vec p = vector_exponential_of_negative(part.load(y + at)), d = part.load(dy + at);
      part.store(hn::NegMulAdd(p, hn::Add(d, partner(d)), d), dx + at);
    });
  const RowOfValue of(g.c);
  for_each_block(g, [&](int64_t i, int64_t rows) {
    RowLanes gradients(dy, dyp, g.c, i, g.rows);
    const Vec total = sum_columns(gradients, [](int64_t, Vec v) { return v; });
    walk_rows(of, dense, rows, g.c, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const Vec p = vector_exponential_of_negative(part.load(y + (i + row) * yp + at));
      part.store(hn::NegMulAdd(p, hn::TableLookupLanes(total, row_of), part.load(dy + (i + row) * dyp + at)),
                 dx + (i + row) * dxp + at);
    });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
Implementation<Softmax> Softmax::simd<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const SoftmaxSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .forward = HWY_NAMESPACE::softmax_forward,
          .backward = HWY_NAMESPACE::softmax_backward};
}
template <>
Implementation<LogSoftmax> LogSoftmax::simd<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const SoftmaxSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .forward = HWY_NAMESPACE::log_softmax_forward,
          .backward = HWY_NAMESPACE::log_softmax_backward};
}

}  // namespace kern::kernels
