// Sums and maxima over the values of each row, for rows of any length: a block of kLanes rows is transposed, so that a
// lane is a row, a vector a column, and folding a row is plain arithmetic from vector to vector. What was found per row
// then goes back over the rows as they lie: a shuffle spreads a vector of one value a row over the values of the rows.
// Read once per instruction set; include after hwy/foreach_target.h.
#if defined(KERN_ROW_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_ROW_LANES_INL_H
#undef KERN_ROW_LANES_INL_H
#else
#define KERN_ROW_LANES_INL_H
#endif

#include "kernels/common/exponential-inl.h"
#include "kernels/common/row_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vec = hn::Vec<Vf>;
constexpr int64_t kSegment = 64;  // columns that are held transposed: longer rows are folded segment by segment

// A block of four from each of kLanes / 4 rows, `stride` values apart.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const float* p, int64_t stride) {
  constexpr int64_t kBlocks = int64_t(hn::MaxLanes(D())) / 4;
  if constexpr (kBlocks == 1) {
    return hn::LoadU(d, p);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, p + kBlocks / 2 * stride, stride), load_blocks(half, p, stride));
  }
}
// columns[j * kLanes + r] = x[r * pitch + j] for columns j < count and up to the next multiple of four. Reading sixteen
// places in turn is not what the processor foresees: as much is fetched ahead as is read.
constexpr int64_t kAhead = 1024;
HWY_INLINE void transpose(const float* x, int64_t pitch, int64_t count, float* columns) {
  const Vf d;
  const hn::RepartitionToWide<Vf> pairs;
  for (int64_t j = 0; j < count; j += 4, columns += 4 * kLanes) {
    const Vec a = load_blocks(d, x + j, 4 * pitch), b = load_blocks(d, x + pitch + j, 4 * pitch),
              c = load_blocks(d, x + 2 * pitch + j, 4 * pitch), e = load_blocks(d, x + 3 * pitch + j, 4 * pitch);
    const auto ab0 = hn::BitCast(pairs, hn::InterleaveLower(d, a, b)),  // a0 b0 a1 b1 in every block of four lanes
        ce0 = hn::BitCast(pairs, hn::InterleaveLower(d, c, e)), ab2 = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b)),
               ce2 = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
    for (int64_t k = 0; k < 4 * kLanes; k += 16) __builtin_prefetch(x + kAhead + j * kLanes + k);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, ab0, ce0)), d, columns);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, ab0, ce0)), d, columns + kLanes);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, ab2, ce2)), d, columns + 2 * kLanes);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, ab2, ce2)), d, columns + 3 * kLanes);
  }
}

// Rows first .. first + kLanes - 1 of `rows`, of c values each; rows behind the last are zeros.
class RowLanes {
 public:
  RowLanes(const float* x, int64_t pitch, int64_t c, int64_t first, int64_t rows)
      : x_(x + first * pitch), pitch_(pitch), c_(c), left_(rows - first) {}

  int64_t columns() const { return c_; }
  // Columns first .. first + count - 1 as [column][lane]; transposed once where a segment holds the whole row.
  HWY_INLINE const float* segment(int64_t first, int64_t count) {
    if (held_ != first) load(first, count), held_ = first;
    return columns_;
  }
  // f(first column, columns, their values)
  template <class F>
  HWY_INLINE void for_each_segment(F&& f) {
    for (int64_t first = 0; first < c_; first += kSegment) {
      const int64_t count = c_ - first < kSegment ? c_ - first : kSegment;
      f(first, count, segment(first, count));
    }
  }

 private:
  HWY_INLINE void load(int64_t first, int64_t count) {
    // Blocks of four reach up to three values behind the row: three more rows hold at least as many.
    if (left_ >= kLanes + 3) return transpose(x_ + first, pitch_, count, columns_);
    float copy[kLanes * kSegment] = {};
    for (int64_t r = 0; r < kLanes && r < left_; ++r)
      for (int64_t j = 0; j < count; ++j) copy[r * kSegment + j] = x_[r * pitch_ + first + j];
    transpose(copy, kSegment, count, columns_);
  }
  HWY_ALIGN float columns_[kSegment * kLanes];
  const float* x_;
  int64_t pitch_, c_, left_, held_ = -1;
};

// A sum of vectors, lane by lane, in double.
class DoubleLanes {
 public:
  DoubleLanes() : low_(hn::Zero(Vd())), high_(hn::Zero(Vd())) {}  // a default one would lack the instruction set
  HWY_INLINE void add(Vec v) {
    const hn::Half<Vf> half;
    low_ = hn::Add(low_, hn::PromoteTo(Vd(), hn::LowerHalf(half, v)));
    high_ = hn::Add(high_, hn::PromoteTo(Vd(), hn::UpperHalf(half, v)));
  }
  HWY_INLINE Vec rounded() const {
    const hn::Half<Vf> half;
    return hn::Combine(Vf(), hn::DemoteTo(half, high_), hn::DemoteTo(half, low_));
  }
  HWY_INLINE void store(double* lanes) const {
    hn::StoreU(low_, Vd(), lanes), hn::StoreU(high_, Vd(), lanes + kLanes / 2);
  }
  HWY_INLINE double total() const {
    double lanes[kLanes], sum = 0;
    store(lanes);
    for (double v : lanes) sum += v;
    return sum;
  }

 private:
  using Vd = hn::ScalableTag<double>;
  hn::Vec<Vd> low_, high_;
};

// sum over columns of f(column, its values), per row; in double from segment to segment.
template <class F>
HWY_INLINE Vec sum_columns(RowLanes& rows, F&& f) {
  const Vf d;
  DoubleLanes sum;
  Vec part = hn::Zero(d);
  rows.for_each_segment([&](int64_t first, int64_t count, const float* columns) {
    if (first > 0) sum.add(part), part = hn::Zero(d);
    for (int64_t j = 0; j < count; ++j) part = hn::Add(part, f(first + j, hn::Load(d, columns + j * kLanes)));
  });
  if (rows.columns() <= kSegment) return part;
  sum.add(part);
  return sum.rounded();
}

// sum over columns of a b, per row.
HWY_INLINE Vec sum_products(RowLanes& a, RowLanes& b) {
  const Vf d;
  DoubleLanes sum;
  Vec part = hn::Zero(d);
  a.for_each_segment([&](int64_t first, int64_t count, const float* from_a) {
    if (first > 0) sum.add(part), part = hn::Zero(d);
    const float* from_b = b.segment(first, count);
    for (int64_t j = 0; j < count; ++j)
      part = hn::MulAdd(hn::Load(d, from_a + j * kLanes), hn::Load(d, from_b + j * kLanes), part);
  });
  if (a.columns() <= kSegment) return part;
  sum.add(part);
  return sum.rounded();
}

// m = the maximum of each row and the sum of exp(x - m); a NaN in a row makes its sum one.
struct RowFold {
  Vec max, sum;
};
HWY_INLINE Vec max_columns(RowLanes& rows) {
  const Vf d;
  Vec max = hn::Set(d, -__builtin_inff());
  rows.for_each_segment([&](int64_t, int64_t count, const float* columns) {
    for (int64_t j = 0; j < count; ++j) max = hn::Max(hn::Load(d, columns + j * kLanes), max);
  });
  return max;
}
HWY_INLINE RowFold fold_exponentials(RowLanes& rows) {
  const Vec max = max_columns(rows);
  return {max, sum_columns(rows, [&](int64_t, Vec v) { return vector_exponential_of_negative(hn::Sub(v, max)); })};
}

// For kLanes dense rows of c <= kSegment values: the row of every value.
struct RowOfValue {
  HWY_ALIGN int32_t row[kSegment * kLanes];
  explicit RowOfValue(int64_t c) {
    if (c > kSegment) return;
    for (int64_t r = 0, i = 0; r < kLanes; ++r)
      for (int64_t j = 0; j < c; ++j, ++i) row[i] = int32_t(r);
  }
};
// f(row, at, part, indices) over `rows` <= kLanes rows of c values: a vector of them lies at array + row * pitch + at,
// is read and written with `part`, and hn::TableLookupLanes(v, indices) spreads v, a value for each row, over it. dense
// (every array has pitch c, and c <= kSegment): all in one run, as row 0.
template <class F>
HWY_INLINE void walk_rows(const RowOfValue& of, bool dense, int64_t rows, int64_t c, F&& f) {
  const Vf d;
  const hn::RebindToSigned<Vf> di;
  if (dense) {
    const int64_t count = rows * c;
    int64_t at = 0;
    for (; at + kLanes <= count; at += kLanes) f(int64_t{0}, at, Whole{}, hn::SetTableIndices(d, of.row + at));
    if (at < count) f(int64_t{0}, at, Part{int(count - at)}, hn::SetTableIndices(d, of.row + at));
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    const auto same = hn::IndicesFromVec(d, hn::Set(di, int32_t(r)));
    int64_t at = 0;
    for (; at + kLanes <= c; at += kLanes) f(r, at, Whole{}, same);
    if (at < c) f(r, at, Part{int(c - at)}, same);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
