// The SIMD implementations of cross_entropy: forward folds blocks of rows with a row in every lane
// (common/row_lanes-inl.h), backward goes over the values as they lie.
#include "kernels/common/simd.h"
#include "kernels/loss/cross_entropy.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/loss/cross_entropy_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vi = hn::RebindToSigned<Vf>;

// The targets of kLanes rows, of which `rows` exist; the others are ignored.
struct Targets {
  hn::Vec<Vi> t;
  hn::Mask<Vf> counts;
  Targets(const int32_t* target, int64_t rows) {
    if (rows >= kLanes) {
      t = hn::LoadU(Vi(), target);
    } else {
      HWY_ALIGN int32_t some[kLanes];
      for (int64_t r = 0; r < kLanes; ++r) some[r] = r < rows ? target[r] : kIgnore;
      t = hn::Load(Vi(), some);
    }
    counts = hn::RebindMask(Vf(), hn::Gt(t, hn::Set(Vi(), kIgnore)));
  }
  // from[r * step + t[r]] for the rows r that count, something for the others.
  Vec look_up(const float* from, int64_t step) const {
    const auto at = hn::Add(t, hn::Mul(hn::Iota(Vi(), 0), hn::Set(Vi(), int32_t(step))));
    return hn::GatherIndex(Vf(), from, hn::IfThenElseZero(hn::RebindMask(Vi(), counts), at));
  }
  Vec weights(const float* weight) const { return weight ? look_up(weight, 0) : hn::Set(Vf(), 1.0f); }
};

// Blocks of rows are folded one after another, then what follows from their folds: chains of operations of which many
// are under way at a time.
void forward(const CrossEntropySpec& g, const float* x, const int32_t* target, const float* weight, float* saved,
             int64_t begin, int64_t end, CrossEntropyPart& part) {
  const Vf d;
  constexpr int64_t kRows = 8 * kLanes;
  HWY_ALIGN float max[kRows], sum[kRows], lead[kRows];  // lead: sum_k w[k] (m - x[k]), for smoothing
  const Vec kept = hn::Set(d, 1 - g.smoothing), spread = hn::Set(d, float(g.spread()));
  double all_weights = 0;
  for (int64_t k = 0; k < g.k; ++k) all_weights += weight ? double(weight[k]) : 1.0;
  const Vec all = hn::Set(d, float(all_weights));
  DoubleLanes loss, weights;
  for (int64_t first = begin; first < end; first += kRows) {
    const int64_t last = end - first < kRows ? end : first + kRows;
    for (int64_t i = first; i < last; i += kLanes) {
      RowLanes rows(x, g.x_pitch(), g.k, i, g.rows);
      const RowFold fold = fold_exponentials(rows);
      hn::Store(fold.max, d, max + (i - first)), hn::Store(fold.sum, d, sum + (i - first));
      if (g.smoothing > 0)
        hn::Store(sum_columns(rows,
                              [&](int64_t k, Vec v) {
                                return hn::Mul(hn::Set(d, weight ? weight[k] : 1.0f), hn::Sub(fold.max, v));
                              }),
                  d, lead + (i - first));
    }
    for (int64_t i = first; i < last; i += kLanes) {
      const Targets t(target + i, last - i);
      const Vec m = hn::Load(d, max + (i - first)), s = hn::Load(d, sum + (i - first)), log_sum = vector_logarithm(s),
                w = t.weights(weight), q = hn::Add(log_sum, hn::Sub(m, t.look_up(x + i * g.x_pitch(), g.x_pitch())));
      Vec row_loss = hn::Mul(hn::Mul(kept, w), q);
      if (g.smoothing > 0)
        row_loss = hn::MulAdd(spread, hn::MulAdd(all, log_sum, hn::Load(d, lead + (i - first))), row_loss);
      loss.add(hn::IfThenElseZero(t.counts, row_loss));
      weights.add(hn::IfThenElseZero(t.counts, w));
      if (last - i >= kLanes) {
        hn::StoreInterleaved2(m, s, d, saved + 2 * i);
      } else {
        HWY_ALIGN float some[2 * kLanes];
        hn::StoreInterleaved2(m, s, d, some);
        for (int64_t r = 0; r < 2 * (last - i); ++r) saved[2 * i + r] = some[r];
      }
    }
  }
  part.loss = loss.total(), part.weight = weights.total();
}

void backward(const CrossEntropySpec& g, float scale, float all, const float* x, const int32_t* target,
              const float* weight, const float* saved, float* dx, int64_t begin, int64_t end) {
  const Vf d;
  const int64_t xp = g.x_pitch(), dxp = g.dx_pitch();
  const auto lane = hn::Iota(Vi(), 0);
  const bool dense = xp == g.k && dxp == g.k && g.k <= kSegment;
  const RowOfValue of(g.k);
  HWY_ALIGN float smooth[kSegment * kLanes];  // what smoothing takes from every value of dense rows
  const Vec spread = hn::Set(d, scale * float(g.spread()));
  for (int64_t i = 0; dense && g.smoothing > 0 && i < g.k * kLanes; ++i) smooth[i] = weight ? weight[i % g.k] : 1.0f;
  for (int64_t i = begin; i < end; i += kLanes) {
    const int64_t rows = end - i < kLanes ? end - i : kLanes;
    const Targets t(target + i, rows);
    HWY_ALIGN float some[2 * kLanes] = {};
    for (int64_t r = 0; rows < kLanes && r < 2 * rows; ++r) some[r] = saved[2 * i + r];
    Vec max, sum;
    hn::LoadInterleaved2(d, rows < kLanes ? some : saved + 2 * i, max, sum);
    const Vec own = hn::Mul(hn::Set(d, scale * (1 - g.smoothing)), t.weights(weight)),
              factor = hn::Div(hn::Add(own, hn::Set(d, scale * all)), sum);
    // Where the target's value is, counted as walk_rows does; -1: nowhere.
    const auto first = dense ? hn::Mul(lane, hn::Set(Vi(), int32_t(g.k))) : hn::Zero(Vi());
    const auto counts = hn::RebindMask(Vi(), t.counts);
    const Vec place = hn::BitCast(d, hn::IfThenElse(counts, hn::Add(first, t.t), hn::Set(Vi(), kIgnore)));
    const float* from = x + i * xp;
    float* to = dx + i * dxp;
    walk_rows(of, dense, rows, g.k, [&](int64_t row, int64_t at, auto part, auto row_of) {
      const auto mine = hn::BitCast(Vi(), hn::TableLookupLanes(place, row_of));
      Vec v = hn::Mul(
          vector_exponential_of_negative(hn::Sub(part.load(from + row * xp + at), hn::TableLookupLanes(max, row_of))),
          hn::TableLookupLanes(factor, row_of));
      const auto is_target = hn::RebindMask(d, hn::Eq(mine, hn::Add(lane, hn::Set(Vi(), int32_t(at)))));
      v = hn::Sub(v, hn::IfThenElseZero(is_target, hn::TableLookupLanes(own, row_of)));
      if (g.smoothing > 0) {
        const Vec w = dense ? part.load(smooth + at) : weight ? part.load(weight + at) : hn::Set(d, 1.0f);
        v = hn::NegMulAdd(spread, w, v);
      }
      part.store(hn::IfThenElseZero(hn::RebindMask(d, hn::Gt(mine, hn::Set(Vi(), kIgnore))), v), to + row * dxp + at);
    });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
CrossEntropySteps cross_entropy_steps<KERN_SIMD_ISA>() {
  return {.forward = HWY_NAMESPACE::forward, .backward = HWY_NAMESPACE::backward};
}

}  // namespace kern::kernels
