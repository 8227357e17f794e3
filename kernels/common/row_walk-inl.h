// Walking rows of C channels with vectors, whatever C is: what element-wise passes and sums per channel are made of.
// A strip is some columns of the rows. Where rows are dense and short, several rows at once fill whole vectors;
// otherwise vectors walk along a row and the last one may be partial. What belongs to channels (means, slopes) is
// spread over a strip's lanes first. Read once per instruction set; include after hwy/foreach_target.h.
#if defined(KERN_ROW_WALK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_ROW_WALK_INL_H
#undef KERN_ROW_WALK_INL_H
#else
#define KERN_ROW_WALK_INL_H
#endif

#include "kernels/common/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t kStripLanes = 512;

// A whole vector, or the first `count` lanes of one: how a walk reads and writes. Several arrays at once with sums in
// between are more than the processor fetches ahead by itself; without the lines being there when they are written to,
// stores wait in order and hold up everything behind them.
constexpr int64_t kFetchAhead = 512;
struct Whole {
  HWY_INLINE hn::Vec<Vf> load(const float* p) const {
    __builtin_prefetch(p + kFetchAhead);
    return hn::LoadU(Vf(), p);
  }
  HWY_INLINE void store(hn::Vec<Vf> v, float* p) const {
    __builtin_prefetch(p + kFetchAhead, 1);
    hn::StoreU(v, Vf(), p);
  }
  HWY_INLINE hn::Vec<Vf> only(hn::Vec<Vf> v) const { return v; }
};
struct Part {
  int count;
  HWY_INLINE hn::Vec<Vf> load(const float* p) const { return load_first(p, count); }
  HWY_INLINE void store(hn::Vec<Vf> v, float* p) const { store_first(v, p, count); }
  HWY_INLINE hn::Vec<Vf> only(hn::Vec<Vf> v) const {  // 0 in the other lanes
    return hn::IfThenElseZero(hn::FirstN(Vf(), size_t(count)), v);
  }
};

struct Strip {
  int64_t column, width;  // channels column .. column + width - 1
  int64_t at_once;        // rows that are walked together; above 1 only where rows are dense
  int64_t lanes() const { return width * at_once; }

  // lanes[l] = value(channel of lane l - column); lanes behind the last are 0.
  template <class F>
  void spread(float* lanes_out, F&& value) const {
    for (int64_t j = 0; j < width; ++j) {
      const float v = value(j);
      for (int64_t r = 0; r < at_once; ++r) lanes_out[r * width + j] = v;
    }
    for (int64_t l = lanes(); l % kLanes; ++l) lanes_out[l] = 0;
  }
  // f(row, lane, part) for every vector of rows [begin, end): its values lie at array + row * pitch + lane, and are
  // read with part.load and written with part.store.
  template <class F>
  HWY_INLINE void walk(int64_t begin, int64_t end, F&& f) const {
    auto walk_rows = [&](int64_t row, int64_t count) {
      int64_t at = 0;
      for (; at + kLanes <= count; at += kLanes) f(row, at, Whole{});
      if (at < count) f(row, at, Part{int(count - at)});
    };
    int64_t row = begin;
    for (; row + at_once <= end; row += at_once) walk_rows(row, lanes());
    if (row < end) walk_rows(row, (end - row) * width);
  }
};

// f(strip) for the strips of rows of c values. dense: every array that f touches has pitch c.
template <class F>
void for_each_strip(int64_t c, bool dense, F&& f) {
  int64_t at_once = 1;
  if (dense && c > 0 && c < kStripLanes / 2) {
    while (at_once * c % kLanes != 0 && 2 * at_once * c <= kStripLanes) at_once *= 2;      // whole vectors
    while (at_once * c < kStripLanes / 4 && 2 * at_once * c <= kStripLanes) at_once *= 2;  // and some of them
  }
  for (int64_t column = 0; column < c; column += kStripLanes)
    f(Strip{column, c - column < kStripLanes ? c - column : kStripLanes, at_once});
}

// total[k][j] = sum over rows [begin, end) and channel j of what add(row, lane, part, values) put into values[k]. Float
// only within 64 turns, then double, always in the same order.
template <int kTerms, class Add>
HWY_INLINE void sum_rows(const Strip& t, int64_t begin, int64_t end, double (*total)[kStripLanes], Add&& add) {
  const Vf d;
  HWY_ALIGN float lanes[kTerms][kStripLanes];
  for (int k = 0; k < kTerms; ++k)
    for (int64_t j = 0; j < t.width; ++j) total[k][j] = 0;
  const int64_t step = 64 * t.at_once, padded = (t.lanes() + kLanes - 1) / kLanes * kLanes;
  for (int64_t block = begin; block < end; block += step) {
    for (auto& sums : lanes)
      for (int64_t l = 0; l < padded; l += kLanes) hn::Store(hn::Zero(d), d, sums + l);
    t.walk(block, block + step < end ? block + step : end, [&](int64_t row, int64_t at, auto part) {
      hn::Vec<Vf> values[kTerms];
      add(row, at, part, values);
      for (int k = 0; k < kTerms; ++k)
        hn::Store(hn::Add(hn::Load(d, lanes[k] + at), part.only(values[k])), d, lanes[k] + at);
    });
    for (int k = 0; k < kTerms; ++k)
      for (int64_t r = 0; r < t.at_once; ++r)
        for (int64_t j = 0; j < t.width; ++j) total[k][j] += double(lanes[k][r * t.width + j]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
