// The SIMD implementations of softmax and log_softmax: rows are folded with a row in every lane (common/row_lanes-inl.h), and what
// was found goes back over them as they lie, while they are in the nearest cache.
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

void softmax_forward(const Exec&, const SoftmaxSpec& g, const Softmax::Forward<float>& a) {
  const float* const x = a.x;
  float* const y = a.y;
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  const bool dense = xp == g.c && yp == g.c && g.c <= kSegment;
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
