// The SIMD implementations of prelu: one pass over rows of any width (common/row_walk-inl.h).
#include <cstddef>

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/elementwise/prelu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/prelu_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vec = hn::Vec<Vf>;

int64_t grain(const PreluSpec& g) {
  const int64_t rows = 16384 / (g.c > 0 ? g.c : 1);
  return rows > 64 ? rows : 64;
}
size_t workspace(const PreluSpec& g) { return size_t(ceil_div(g.rows, grain(g)) * g.c) * sizeof(double); }

void forward(const Exec&, const PreluSpec& g, const Prelu::Forward<float>& a) {
  const float *const x = a.x, *const slope = a.slope;
  float* const y = a.y;
  const int64_t xp = g.x_pitch(), yp = g.y_pitch();
  parallel_for(g.rows, grain(g), [&](int64_t begin, int64_t end) {
    for_each_strip(g.c, xp == g.c && yp == g.c, [&](const Strip& t) {
      const Vf d;
      HWY_ALIGN float slopes[kStripLanes];
      t.spread(slopes, [&](int64_t j) { return slope[g.slope_of(t.column + j)]; });
      const float* from = x + t.column;
      float* to = y + t.column;
      t.walk(begin, end, [&](int64_t row, int64_t at, auto part) {
        const Vec v = part.load(from + row * xp + at);
        part.store(hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, hn::Load(d, slopes + at))), to + row * yp + at);
      });
    });
  });
}

void backward(const Exec& exec, const PreluSpec& g, const Prelu::Backward<float>& a) {
  const float *const dy = a.dy, *const x = a.x, *const slope = a.slope;
  float *const dx = a.dx, *const dslope = a.dslope;
  if (!dx && !dslope) return;
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), dxp = g.dx_pitch();
  double* sums = static_cast<double*>(exec.scratch);  // [chunk][C]
  parallel_for(g.rows, grain(g), [&](int64_t begin, int64_t end) {
    for_each_strip(g.c, xp == g.c && dyp == g.c && (!dx || dxp == g.c), [&](const Strip& t) {
      const Vf d;
      HWY_ALIGN float slopes[kStripLanes];
      t.spread(slopes, [&](int64_t j) { return slope[g.slope_of(t.column + j)]; });
      const float *from = dy + t.column, *values = x + t.column;
      float* to = dx ? dx + t.column : nullptr;
      double total[1][kStripLanes];
      sum_rows<1>(t, begin, end, total, [&](int64_t row, int64_t at, auto part, Vec(&sum)[1]) {
        const Vec v = part.load(values + row * xp + at), gradient = part.load(from + row * dyp + at);
        const auto positive = hn::Gt(v, hn::Zero(d));
        sum[0] = hn::IfThenElse(positive, hn::Zero(d), hn::Mul(v, gradient));
        if (to)
          part.store(hn::IfThenElse(positive, gradient, hn::Mul(gradient, hn::Load(d, slopes + at))),
                     to + row * dxp + at);
      });
      for (int64_t j = 0; j < t.width; ++j) sums[begin / grain(g) * g.c + t.column + j] = total[0][j];
    });
  });
  if (!dslope) return;
  double shared = 0;
  for (int64_t c = 0; c < g.c; ++c) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < ceil_div(g.rows, grain(g)); ++chunk) sum += sums[chunk * g.c + c];
    if (g.slopes == g.c) dslope[c] = float(sum);
    shared += sum;
  }
  if (g.slopes == 1) dslope[0] = float(shared);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
Implementation<Prelu> Prelu::simd<KERN_SIMD_ISA>() {
  return {.name = isa_name(KERN_SIMD_ISA),
          .device = Device::cpu,
          .supports = [](const PreluSpec&) { return cpu_has(KERN_SIMD_ISA); },
          .workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels
