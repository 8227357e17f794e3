// The micro-kernel of every sum of outer products: a tile of M rows and V vectors of columns stays in registers while
//   c[i][j] += sum_t a[i, t] * b[t, j]
// runs over its terms t. A term is one broadcast value of a per row and V vectors of b. Terms form four nested
// loops (filter plane, row, column, channel; or output row, output column), each with a stride for a and one for b,
// so that convolution forward, backward_data and backward_weight, and a matrix product, are all this one loop. Read
// once per instruction set; include after hwy/foreach_target.h.
#if defined(KERN_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_TILE_INL_H
#undef KERN_TILE_INL_H
#else
#define KERN_TILE_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using Vf = hn::ScalableTag<float>;
constexpr int kLanes = HWY_MAX_BYTES / 4;

// Registers: M x V sums, V of b, one of a. 32 registers with AVX-512 and NEON, 16 otherwise.
constexpr int kMaxVectors = 2;
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON;
constexpr int max_rows(int vectors) { return kManyRegisters ? 14 : vectors == 2 ? 6 : 12; }

// The first n of a vector's values; the others are 0 / stay untouched. Memory behind them is not touched.
HWY_INLINE hn::Vec<Vf> load_first(const float* p, int n) {
  const Vf d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, size_t(n)), d, p);
#else
  if (n == kLanes) return hn::LoadU(d, p);
  HWY_ALIGN float part[kLanes] = {};
  for (int i = 0; i < n; ++i) part[i] = p[i];
  return hn::Load(d, part);
#endif
}
HWY_INLINE void store_first(hn::Vec<Vf> v, float* p, int n) {
  const Vf d;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, size_t(n)), d, p);
#else
  if (n == kLanes) return hn::StoreU(v, d, p);
  HWY_ALIGN float part[kLanes];
  hn::Store(v, d, part);
  for (int i = 0; i < n; ++i) p[i] = part[i];
#endif
}
// The same for a block of four.
HWY_INLINE hn::Vec<hn::CappedTag<float, 4>> load_first_four(const float* p, int n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  const hn::CappedTag<float, 4> d;
  return hn::MaskedLoad(hn::FirstN(d, size_t(n)), d, p);
#else
  return load_first(p, n);
#endif
}
HWY_INLINE void store_first_four(hn::Vec<hn::CappedTag<float, 4>> v, float* p, int n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  const hn::CappedTag<float, 4> d;
  hn::BlendedStore(v, hn::FirstN(d, size_t(n)), d, p);
#else
  store_first(v, p, n);
#endif
}
// The first four lanes; stored alone they cross fewer cache lines than a wide vector under a mask.
HWY_INLINE void store_four(hn::Vec<Vf> v, float* p) {
  const hn::CappedTag<float, 4> four;
#if HWY_TARGET == HWY_AVX3
  hn::StoreU(hn::LowerHalf(hn::LowerHalf(v)), four, p);
#elif HWY_TARGET == HWY_AVX2
  hn::StoreU(hn::LowerHalf(v), four, p);
#else
  hn::StoreU(v, four, p);
#endif
}

struct Loop {
  int64_t n = 1, a = 0, b = 0;  // turns, and what one turn adds to a and b
};
struct Tile {
  const float *a, *b;
  int64_t a_row = 1;  // from row to row of a; 1 unless strided
  Loop planes, outer, middle, inner;
  float* c;
  int64_t c_row;                  // from row to row of c
  int columns;                    // of c, at most V vectors
  const float* start = nullptr;   // V vectors that every row of c begins with; null: 0
  bool add = false;               // c += the sum, instead of c = start + the sum
  const float* limits = nullptr;  // the least and the greatest value of c; null: any
  int64_t repeat = 1;             // so many tiles one below the other, M rows each
};
using TileFunction = void (*)(const Tile&);

enum class Operands {
  strided,  // rows of a at any distance, a term's values of a row neighbours (inner.a = 1); b is padded to V vectors
  unit,     // rows of a are neighbours (a_row = 1); b is padded to V vectors
  unit_unpadded  // the same, but b has just `columns` columns
};

// Each value, or the limit that it lies beyond; NaN stays NaN.
HWY_INLINE hn::Vec<Vf> limited(hn::Vec<Vf> v, const float* limits) {
  const Vf d;
  const auto low = hn::Set(d, limits[0]), high = hn::Set(d, limits[1]);
  v = hn::IfThenElse(hn::Lt(v, low), low, v);
  return hn::IfThenElse(hn::Gt(v, high), high, v);
}

// The compiler is not to know where p points: else it keeps one pointer per row, more than there are registers.
HWY_INLINE void hide(const float*& p) { asm("" : "+r"(p)); }

// What every row of c begins with. Before long sums its memory is called for, so that it is near when they are done.
template <int M, int V>
HWY_INLINE void start(const Tile& t, const float* c, hn::Vec<Vf> (&sum)[M][V]) {
  const Vf d;
  if (t.planes.n * t.outer.n * t.middle.n * t.inner.n >= 64) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i, c += t.c_row) {
      HWY_UNROLL(2) for (int v = 0; v < V; ++v) __builtin_prefetch(c + v * kLanes, 1);
    }
  }
  HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
    HWY_UNROLL(2)
    for (int v = 0; v < V; ++v) sum[i][v] = t.start ? hn::LoadU(d, t.start + v * kLanes) : hn::Zero(d);
  }
}
template <int M, int V>
HWY_INLINE void store(const Tile& t, float* c, hn::Vec<Vf> (&sum)[M][V]) {
  const Vf d;
  const int tail = t.columns - (V - 1) * kLanes;  // columns of the last vector
  if (t.add) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
      const float* before = c + i * t.c_row;
      HWY_UNROLL(2) for (int v = 0; v < V - 1; ++v) sum[i][v] = hn::Add(hn::LoadU(d, before + v * kLanes), sum[i][v]);
      sum[i][V - 1] = hn::Add(load_first(before + (V - 1) * kLanes, tail), sum[i][V - 1]);
    }
  }
  if (t.limits) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
      HWY_UNROLL(2) for (int v = 0; v < V; ++v) sum[i][v] = limited(sum[i][v], t.limits);
    }
  }
  if (tail == kLanes) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i, c += t.c_row) {
      HWY_UNROLL(2) for (int v = 0; v < V; ++v) hn::StoreU(sum[i][v], d, c + v * kLanes);
    }
  } else if (V == 1 && tail == 4) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i, c += t.c_row) store_four(sum[i][0], c);
  } else {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i, c += t.c_row) {
      HWY_UNROLL(2) for (int v = 0; v < V - 1; ++v) hn::StoreU(sum[i][v], d, c + v * kLanes);
      store_first(sum[i][V - 1], c + (V - 1) * kLanes, tail);
    }
  }
}

template <int M, int V, Operands kOperands>
HWY_NOINLINE void tile(const Tile& t) {
  const Vf d;
  using Vec = hn::Vec<Vf>;
  constexpr bool kUnitRow = kOperands != Operands::strided;
  constexpr int kGroup = kUnitRow ? M : 5, kGroups = (M + kGroup - 1) / kGroup;  // rows that share a pointer
  const int64_t a_row = kUnitRow ? 1 : t.a_row;
  const int tail = t.columns - (V - 1) * kLanes;  // columns of the last vector of b
  for (int64_t turn = 0; turn < t.repeat; ++turn) {
    Vec sum[M][V];
    start(t, t.c + turn * M * t.c_row, sum);
    const float *ap = t.a + turn * M * a_row, *bp = t.b;
    for (int64_t p = t.planes.n; p > 0; --p, ap += t.planes.a, bp += t.planes.b) {
      const float *ao = ap, *bo = bp;
      for (int64_t o = t.outer.n; o > 0; --o, ao += t.outer.a, bo += t.outer.b) {
        const float *am = ao, *bm = bo;
        for (int64_t m = t.middle.n; m > 0; --m, am += t.middle.a, bm += t.middle.b) {
          const float *a[kGroups], *b = bm;
          HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) a[i] = am + i * kGroup * a_row;
          for (int64_t n = t.inner.n; n > 0; --n, b += t.inner.b) {
            Vec bv[V];
            HWY_UNROLL(2) for (int v = 0; v < V - 1; ++v) bv[v] = hn::LoadU(d, b + v * kLanes);
            const float* b_last = b + (V - 1) * kLanes;
            // Rows of b that lie apart, each read once in a while: what a processor foresees badly.
            if (kOperands == Operands::unit_unpadded) __builtin_prefetch(b + 8 * t.inner.b);
            bv[V - 1] = kOperands == Operands::unit_unpadded ? load_first(b_last, tail) : hn::LoadU(d, b_last);
            HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
              const Vec x = hn::Set(d, a[i / kGroup][i % kGroup * a_row]);
              HWY_UNROLL(2) for (int v = 0; v < V; ++v) sum[i][v] = hn::MulAdd(x, bv[v], sum[i][v]);
            }
            HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) {
              a[i] += kUnitRow ? t.inner.a : 1;
              hide(a[i]);
            }
          }
        }
      }
    }
    store(t, t.c + turn * M * t.c_row, sum);
  }
}

// The same for a filter of S neighbouring taps that moves by kStep pixels from row to row: pixel i is read once, as
// tap s of row (i - s) / kStep. The middle loop (its n is S) is unrolled inside of the inner one.
template <int M, int V, int S, int kStep>
HWY_NOINLINE void slide(const Tile& t) {
  const Vf d;
  using Vec = hn::Vec<Vf>;
  constexpr int kPixels = (M - 1) * kStep + S, kGroup = 5, kGroups = (kPixels + kGroup - 1) / kGroup;
  const int64_t pixel = t.middle.a, tap = t.middle.b;
  for (int64_t turn = 0; turn < t.repeat; ++turn) {
    Vec sum[M][V];
    start(t, t.c + turn * M * t.c_row, sum);
    const float *ap = t.a + turn * M * kStep * pixel, *bp = t.b;
    for (int64_t p = t.planes.n; p > 0; --p, ap += t.planes.a, bp += t.planes.b) {
      const float *ao = ap, *bo = bp;
      for (int64_t o = t.outer.n; o > 0; --o, ao += t.outer.a, bo += t.outer.b) {
        const float *a[kGroups], *b = bo;
        HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) a[i] = ao + i * kGroup * pixel;
        for (int64_t n = t.inner.n; n > 0; --n, b += t.inner.b) {
          Vec w[S][V];
          HWY_UNROLL(4) for (int s = 0; s < S; ++s) {
            HWY_UNROLL(2) for (int v = 0; v < V; ++v) w[s][v] = hn::LoadU(d, b + s * tap + v * kLanes);
          }
          HWY_UNROLL(32) for (int i = 0; i < kPixels; ++i) {
            const Vec x = hn::Set(d, a[i / kGroup][i % kGroup * pixel]);
            HWY_UNROLL(4) for (int s = 0; s < S; ++s) {
              const int row = (i - s) / kStep;
              if (i < s || row >= M || row * kStep != i - s) continue;
              HWY_UNROLL(2) for (int v = 0; v < V; ++v) sum[row][v] = hn::MulAdd(x, w[s][v], sum[row][v]);
            }
          }
          HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) hide(++a[i]);
        }
      }
    }
    store(t, t.c + turn * M * t.c_row, sum);
  }
}

// The sums of a filter gradient: S taps at once, each a tile of M rows and one vector of columns,
//   c[s][i][j] += sum_t a[i, t] * b[t - s, j]
// where the rows of a are neighbours. middle.b is the step from t to t - 1 of b, middle.a from tap to tap of c.
template <int M, int S>
HWY_NOINLINE void slide_sums(const Tile& t) {
  const Vf d;
  using Vec = hn::Vec<Vf>;
  Vec sum[S][M];
  HWY_UNROLL(4) for (int s = 0; s < S; ++s) { HWY_UNROLL(16) for (int i = 0; i < M; ++i) sum[s][i] = hn::Zero(d); }
  const float *ao = t.a, *bo = t.b;
  for (int64_t o = t.outer.n; o > 0; --o, ao += t.outer.a, bo += t.outer.b) {
    const float *a = ao, *b = bo;
    for (int64_t n = t.inner.n; n > 0; --n, a += t.inner.a, b += t.inner.b) {
      Vec bv[S];
      HWY_UNROLL(4) for (int s = 0; s < S; ++s) bv[s] = hn::LoadU(d, b + s * t.middle.b);
      HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
        const Vec x = hn::Set(d, a[i]);
        HWY_UNROLL(4) for (int s = 0; s < S; ++s) sum[s][i] = hn::MulAdd(x, bv[s], sum[s][i]);
      }
    }
  }
  float* c = t.c;
  HWY_UNROLL(4) for (int s = 0; s < S; ++s, c += t.middle.a) {
    HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
      float* to = c + i * t.c_row;
      store_first(hn::Add(load_first(to, t.columns), sum[s][i]), to, t.columns);
    }
  }
}
constexpr int kMaxSlideSums = kManyRegisters ? 9 : 4;  // rows: M x 3 sums, 3 of b, one of a
template <int M = kMaxSlideSums>
TileFunction slide_sums_function(int rows) {
  if constexpr (M == 1) return slide_sums<1, 3>;
  else return rows == M ? slide_sums<M, 3> : slide_sums_function<M - 1>(rows);
}

// tile<rows, vectors> for 1 <= rows <= max_rows(vectors).
template <Operands kOperands, int V, int M = max_rows(V)>
TileFunction tile_function(int rows) {
  if constexpr (M == 1) return tile<1, V, kOperands>;
  else return rows == M ? tile<M, V, kOperands> : tile_function<kOperands, V, M - 1>(rows);
}
template <Operands kOperands>
TileFunction tile_function(int rows, int vectors) {
  return vectors == 1 ? tile_function<kOperands, 1>(rows) : tile_function<kOperands, 2>(rows);
}

// Registers of slide: M x V sums, S x V of b, one of a. Not more rows than a tile, which does what lies at borders.
constexpr int max_slide_rows(int vectors, int taps) {
  const int most = ((kManyRegisters ? 31 : 15) - taps * vectors) / vectors;
  return most < max_rows(vectors) ? most : max_rows(vectors);
}
template <int S, int kStep, int V, int M = max_slide_rows(V, S)>
TileFunction slide_function(int rows) {
  if constexpr (M == 1) return slide<1, V, S, kStep>;
  else return rows == M ? slide<M, V, S, kStep> : slide_function<S, kStep, V, M - 1>(rows);
}
template <int S, int kStep>
TileFunction slide_function(int rows, int vectors) {
  return vectors == 1 ? slide_function<S, kStep, 1>(rows) : slide_function<S, kStep, 2>(rows);
}
// For these taps and steps there is a slide.
constexpr bool has_slide(int taps, int step) {
  return (step == 1 && (taps == 2 || taps == 3)) || (step == 2 && taps == 3);
}
inline TileFunction slide_function(int taps, int step, int rows, int vectors) {
  if (step == 2) return slide_function<3, 2>(rows, vectors);
  return taps == 2 ? slide_function<2, 1>(rows, vectors) : slide_function<3, 1>(rows, vectors);
}

// 0..n cut into tiles of at most `most`, as even as can be: the first `longer` tiles have size + 1, the others size.
struct EvenTiles {
  int count, size, longer;
  EvenTiles(int n, int most) : count((n + most - 1) / most), size(count ? n / count : 0), longer(n - size * count) {}
  int begin(int i) const { return i * size + (i < longer ? i : longer); }
  int length(int i) const { return size + (i < longer); }
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
