// The SIMD implementations of max_pool: windows of 2x2 with stride 2 and no padding, which never overlap, so that a
// window's part of dx is written once and whole.
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/pool/max_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/max_pool_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vec = hn::Vec<Vf>;

int64_t rows_of_chunk(const MaxPoolSpec& g) {
  const int64_t values = int64_t{g.w} * 2 * g.c;
  return values > 16384 ? 1 : 16384 / (values > 0 ? values : 1);
}
// The larger, and of NaNs any; in reading order.
HWY_INLINE Vec larger(Vec best, Vec v) { return hn::IfThenElse(hn::Or(hn::Gt(v, best), hn::IsNaN(v)), v, best); }

// f(c, part) for the vectors of C channels.
template <class F>
HWY_INLINE void for_channels(int channels, F&& f) {
  int c = 0;
  for (; c + kLanes <= channels; c += kLanes) f(c, Whole{});
  if (c < channels) f(c, Part{channels - c});
}

void forward(const Exec&, const MaxPoolSpec& g, const float* x, float* y) {
  const int P = g.p(), Q = g.q();
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  parallel_for(int64_t{g.n} * P, rows_of_chunk(g), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* upper = x + (row / P * g.h + row % P * 2) * g.w * xp;
      const float* lower = upper + g.w * xp;
      float* to = y + row * Q * yp;
      for (int q = 0; q < Q; ++q, upper += 2 * xp, lower += 2 * xp, to += yp)
        for_channels(g.c, [&](int c, auto part) {
          Vec best = part.load(upper + c);
          best = larger(best, part.load(upper + xp + c));
          best = larger(best, part.load(lower + c));
          part.store(larger(best, part.load(lower + xp + c)), to + c);
        });
    }
  });
}

void zero(float* p, int64_t rows, int64_t pitch, int channels) {
  for (int64_t i = 0; i < rows; ++i)
    for (int c = 0; c < channels; ++c) p[i * pitch + c] = 0;
}

void backward(const Exec&, const MaxPoolSpec& g, const float* dy, const float* x, float* dx) {
  const int P = g.p(), Q = g.q();
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  parallel_for(int64_t{g.n} * P, rows_of_chunk(g), [&](int64_t begin, int64_t end) {
    const Vec none = hn::Zero(Vf());
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = (row / P * g.h + row % P * 2) * g.w;
      const float *upper = x + first * xp, *lower = upper + g.w * xp, *from = dy + row * Q * dyp;
      float *to_upper = dx + first * dxp, *to_lower = to_upper + g.w * dxp;
      for (int q = 0; q < Q;
           ++q, upper += 2 * xp, lower += 2 * xp, from += dyp, to_upper += 2 * dxp, to_lower += 2 * dxp)
        for_channels(g.c, [&](int c, auto part) {
          const Vec v[] = {part.load(upper + c), part.load(upper + xp + c), part.load(lower + c),
                           part.load(lower + xp + c)};
          const Vec best = larger(larger(larger(v[0], v[1]), v[2]), v[3]);
          Vec rest = part.load(from + c);  // what has not found its place
          float* const to[] = {to_upper + c, to_upper + dxp + c, to_lower + c, to_lower + dxp + c};
          HWY_UNROLL(4) for (int k = 0; k < 4; ++k) {
            const auto here = hn::Or(hn::Eq(v[k], best), hn::IsNaN(v[k]));
            part.store(hn::IfThenElse(here, rest, none), to[k]);
            rest = hn::IfThenElse(here, none, rest);
          }
        });
      if (g.w % 2) {  // a last column that no window holds
        zero(dx + (first + g.w - 1) * dxp, 1, dxp, g.c);
        zero(dx + (first + 2 * g.w - 1) * dxp, 1, dxp, g.c);
      }
      if (g.h % 2 && row % P == P - 1) zero(dx + (row / P + 1) * g.h * g.w * dxp - g.w * dxp, g.w, dxp, g.c);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
MaxPoolImpl max_pool_simd_impl<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports =
              [](const MaxPoolSpec& g) {
                return cpu_has(KERN_SIMD_ISA) && g.r == 2 && g.s == 2 && g.stride_h == 2 && g.stride_w == 2 &&
                       g.h >= 2 && g.w >= 2 && g.pad_top == 0 && g.pad_bottom == 0 && g.pad_left == 0 &&
                       g.pad_right == 0;
              },
          .forward = HWY_NAMESPACE::forward,
          .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels
