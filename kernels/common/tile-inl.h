// The micro-kernel of every sum of outer products: a tile of M rows and V vectors of columns stays in registers while
//   c[i][j] += sum_t a[i, t] * b[t, j]
// runs over its terms t. A term is one broadcast value of a per row and V vectors of b. Terms form three nested loops
// (filter row, filter column, channel; or output row, output column), each with a stride for a and one for b, so that
// convolution forward, backward_data and backward_weight, and a matrix product, are all this one loop.
// Read once per instruction set; include after hwy/foreach_target.h.
#if defined(KERN_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_TILE_INL_H
#undef KERN_TILE_INL_H
#else
#define KERN_TILE_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

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

struct Loop {
  int64_t n = 1, a = 0, b = 0;  // turns, and what one turn adds to a and b
};
struct Tile {
  const float *a, *b;
  int64_t a_row = 1;        // from row to row of a; 1 for kUnitRow
  Loop outer, middle, inner;
  float* c;
  int64_t c_row;            // from row to row of c
  int columns;              // of c, at most V vectors
  const float* start = nullptr;  // V vectors that every row of c begins with; null: 0
  bool add = false;         // c += the sum, instead of c = start + the sum
  int64_t repeat = 1;       // so many tiles one below the other, M rows each
};
using TileFunction = void (*)(const Tile&);

// kUnitRow: rows of a are neighbours (a_row = 1) and b has just `columns` columns; otherwise b is padded to V vectors.
template <int M, int V, bool kUnitRow>
HWY_NOINLINE void tile(const Tile& t) {
  const Vf d;
  using Vec = hn::Vec<Vf>;
  const int64_t a_row = kUnitRow ? 1 : t.a_row;
  const int tail = t.columns - (V - 1) * kLanes;  // columns of the last vector
  for (int64_t turn = 0; turn < t.repeat; ++turn) {
    Vec sum[M][V];
    HWY_UNROLL(16) for (int i = 0; i < M; ++i)
      HWY_UNROLL(2) for (int v = 0; v < V; ++v) sum[i][v] = t.start ? hn::LoadU(d, t.start + v * kLanes) : hn::Zero(d);
    const float *ao = t.a + turn * M * a_row, *bo = t.b;
    for (int64_t o = t.outer.n; o > 0; --o, ao += t.outer.a, bo += t.outer.b) {
      const float *am = ao, *bm = bo;
      for (int64_t m = t.middle.n; m > 0; --m, am += t.middle.a, bm += t.middle.b) {
        const float *a = am, *b = bm;
        for (int64_t n = t.inner.n; n > 0; --n, a += kUnitRow ? t.inner.a : 1, b += t.inner.b) {
          Vec bv[V];
          HWY_UNROLL(2) for (int v = 0; v < V - 1; ++v) bv[v] = hn::LoadU(d, b + v * kLanes);
          bv[V - 1] = kUnitRow ? load_first(b + (V - 1) * kLanes, tail) : hn::LoadU(d, b + (V - 1) * kLanes);
          HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
            const Vec x = hn::Set(d, a[i * a_row]);
            HWY_UNROLL(2) for (int v = 0; v < V; ++v) sum[i][v] = hn::MulAdd(x, bv[v], sum[i][v]);
          }
        }
      }
    }
    float* c = t.c + turn * M * t.c_row;
    HWY_UNROLL(16) for (int i = 0; i < M; ++i, c += t.c_row) {
      HWY_UNROLL(2) for (int v = 0; v < V; ++v) {
        float* to = c + v * kLanes;
        const int count = v < V - 1 ? kLanes : tail;
        const Vec whole = t.add ? hn::Add(load_first(to, count), sum[i][v]) : sum[i][v];
        store_first(whole, to, count);
      }
    }
  }
}

// tile<rows, V, kUnitRow> for 1 <= rows <= max_rows(V).
template <int V, bool kUnitRow, int M = max_rows(V)>
TileFunction tile_function(int rows) {
  if constexpr (M == 1)
    return tile<1, V, kUnitRow>;
  else
    return rows == M ? tile<M, V, kUnitRow> : tile_function<V, kUnitRow, M - 1>(rows);
}
template <bool kUnitRow>
TileFunction tile_function(int rows, int vectors) {
  return vectors == 1 ? tile_function<1, kUnitRow>(rows) : tile_function<2, kUnitRow>(rows);
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
