#include "kernels/common/softmax_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/common/softmax_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

void exponentials_of(const float* x, int64_t x_pitch, int64_t rows, int64_t left, int64_t c, float* e, int64_t e_pitch,
                     float* maxima, double* sums) {
  const Vf d;
  const bool dense = x_pitch == c && e_pitch == c && c <= kSegment;
  const RowOfValue of(c);
  for (int64_t i = 0; i < rows; i += kLanes) {
    const int64_t count = rows - i < kLanes ? rows - i : kLanes;
    RowLanes lanes(x, x_pitch, c, i, left);
    const Vec max = max_columns(lanes);
    DoubleLanes sum;
    lanes.for_each_segment([&](int64_t, int64_t columns, const float* from) {
      for (int64_t j = 0; j < columns; ++j)
        sum.add(vector_exponential_of_negative(hn::Sub(hn::Load(d, from + j * kLanes), max)));
    });
    HWY_ALIGN float some_maxima[kLanes];
    HWY_ALIGN double some_sums[kLanes];
    hn::Store(max, d, some_maxima), sum.store(some_sums);
    for (int64_t r = 0; r < count; ++r) maxima[i + r] = some_maxima[r], sums[i + r] = some_sums[r];
    walk_rows(of, dense, count, c, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const Vec v = hn::Sub(part.load(x + (i + row) * x_pitch + at), hn::TableLookupLanes(max, row_of));
      part.store(vector_exponential_of_negative(v), e + (i + row) * e_pitch + at);
    });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
void row_exponentials<KERN_SIMD_ISA>(const float* x, int64_t x_pitch, int64_t rows, int64_t left, int64_t c, float* e,
                                     int64_t e_pitch, float* maxima, double* sums) {
  HWY_NAMESPACE::exponentials_of(x, x_pitch, rows, left, c, e, e_pitch, maxima, sums);
}

}  // namespace kern::kernels
