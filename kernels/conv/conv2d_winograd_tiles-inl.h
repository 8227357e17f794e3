// What Winograd's convolutions share: the transforms of one row or column, the cut of an image into tiles, patches of
// an array -> points, points -> outputs. Included by conv2d_winograd.cpp, once per instruction set.
//
// Lavin, Gray: Fast Algorithms for Convolutional Neural Networks (2016). Four outputs of 3 taps take 6 points: 0, +-3/4,
// +-3/2 and infinity (the usual 0, +-1, +-2 lose more than twice as many digits: Barabasz et al., 2020); of 2 taps 5
// points: +-1/2, +-5/4 and infinity, the best of many by measurement. The squares of all of them are exact.
#if defined(KERN_CONV2D_WINOGRAD_TILES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WINOGRAD_TILES_INL_H
#undef KERN_CONV2D_WINOGRAD_TILES_INL_H
#else
#define KERN_CONV2D_WINOGRAD_TILES_INL_H
#endif

#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t round_up(int64_t a, int64_t to) { return (a + to - 1) / to * to; }

// --- the transforms of one row or column ---------------------------------------------------------------------------

using Vec = hn::Vec<Vf>;
constexpr int kOutputs = 4;                                          // of a tile, in one direction
constexpr int taps_of(int points) { return points - kOutputs + 1; }  // points: 6 or 5, in one direction
constexpr int kMaxPoints = 6, kMaxTaps = 3;
HWY_INLINE Vec constant(float v) { return hn::Set(Vf(), v); }

// The points of N: first 0 where there are six, then +-kP, +-kQ from kFirst on, last infinity.
template <int N>
struct Points {
  static_assert(N == 5 || N == 6);
  static constexpr int kFirst = N - 5, kLast = N - 1;
  static constexpr float kP = N == 6 ? 0.75f : 0.5f, kQ = N == 6 ? 1.5f : 1.25f;
  static constexpr float kP2 = kP * kP, kQ2 = kQ * kQ, kP3 = kP * kP2, kQ3 = kQ * kQ2;
  // The filter's values at a point are divided by the product of its distances from the others: these are the inverses.
  static constexpr float kScale0 = 1 / (kP2 * kQ2);
  static constexpr float kScaleP = 1 / (2 * (N == 6 ? kP2 : kP) * (kP2 - kQ2));
  static constexpr float kScaleQ = 1 / (2 * (N == 6 ? kQ2 : kQ) * (kQ2 - kP2));
};

// B^T: row i holds the coefficients of prod_{j != i} (z - point j).
template <int N>
HWY_INLINE void to_points(const Vec (&d)[N], Vec (&v)[N]) {
  using P = Points<N>;
  constexpr int z = P::kFirst;
  const Vec product = constant(P::kP2 * P::kQ2), sum = constant(P::kP2 + P::kQ2);
  if constexpr (z == 1) v[0] = hn::MulAdd(product, d[0], hn::NegMulAdd(sum, d[2], d[4]));
  Vec even = hn::NegMulAdd(constant(P::kQ2), d[z + 1], d[z + 3]), odd = hn::NegMulAdd(constant(P::kQ2), d[z], d[z + 2]);
  v[z] = hn::MulAdd(constant(P::kP), odd, even);
  v[z + 1] = hn::NegMulAdd(constant(P::kP), odd, even);
  even = hn::NegMulAdd(constant(P::kP2), d[z + 1], d[z + 3]), odd = hn::NegMulAdd(constant(P::kP2), d[z], d[z + 2]);
  v[z + 2] = hn::MulAdd(constant(P::kQ), odd, even);
  v[z + 3] = hn::NegMulAdd(constant(P::kQ), odd, even);
  v[P::kLast] = hn::MulAdd(product, d[z], hn::NegMulAdd(sum, d[z + 2], d[z + 4]));
}
// A: the polynomial of the four values at the points.
template <int N>
HWY_INLINE void to_points(const Vec (&y)[kOutputs], Vec (&v)[N]) {
  using P = Points<N>;
  constexpr int z = P::kFirst;
  if constexpr (z == 1) v[0] = y[0];
  Vec even = hn::MulAdd(constant(P::kP2), y[2], y[0]), odd = hn::MulAdd(constant(P::kP2), y[3], y[1]);
  v[z] = hn::MulAdd(constant(P::kP), odd, even);
  v[z + 1] = hn::NegMulAdd(constant(P::kP), odd, even);
  even = hn::MulAdd(constant(P::kQ2), y[2], y[0]), odd = hn::MulAdd(constant(P::kQ2), y[3], y[1]);
  v[z + 2] = hn::MulAdd(constant(P::kQ), odd, even);
  v[z + 3] = hn::NegMulAdd(constant(P::kQ), odd, even);
  v[P::kLast] = y[3];
}
// A^T.
template <int N>
HWY_INLINE void from_points(const Vec (&m)[N], Vec (&y)[kOutputs]) {
  using P = Points<N>;
  constexpr int z = P::kFirst;
  const Vec p_even = hn::Add(m[z], m[z + 1]), p_odd = hn::Sub(m[z], m[z + 1]), q_even = hn::Add(m[z + 2], m[z + 3]),
            q_odd = hn::Sub(m[z + 2], m[z + 3]);
  y[0] = hn::Add(p_even, q_even);
  if constexpr (z == 1) y[0] = hn::Add(y[0], m[0]);
  y[1] = hn::MulAdd(constant(P::kQ), q_odd, hn::Mul(constant(P::kP), p_odd));
  y[2] = hn::MulAdd(constant(P::kQ2), q_even, hn::Mul(constant(P::kP2), p_even));
  y[3] = hn::MulAdd(constant(P::kQ3), q_odd, hn::MulAdd(constant(P::kP3), p_odd, m[P::kLast]));
}
// G: the polynomial of the filter at the points, scaled. Of a filter whose last tap is 0 infinity's value is 0.
HWY_INLINE void filter_to_points(const Vec (&w)[3], Vec (&u)[6]) {
  using P = Points<6>;
  u[0] = hn::Mul(constant(P::kScale0), w[0]);
  Vec even = hn::Mul(constant(P::kScaleP), hn::MulAdd(constant(P::kP2), w[2], w[0]));
  u[1] = hn::MulAdd(constant(P::kP * P::kScaleP), w[1], even);
  u[2] = hn::NegMulAdd(constant(P::kP * P::kScaleP), w[1], even);
  even = hn::Mul(constant(P::kScaleQ), hn::MulAdd(constant(P::kQ2), w[2], w[0]));
  u[3] = hn::MulAdd(constant(P::kQ * P::kScaleQ), w[1], even);
  u[4] = hn::NegMulAdd(constant(P::kQ * P::kScaleQ), w[1], even);
  u[5] = w[2];
}
HWY_INLINE void filter_to_points(const Vec (&w)[2], Vec (&u)[5]) {
  using P = Points<5>;
  Vec even = hn::Mul(constant(P::kScaleP), w[0]);  // the scales of +-kP differ in sign
  u[0] = hn::MulAdd(constant(P::kP * P::kScaleP), w[1], even);
  u[1] = hn::MulSub(constant(P::kP * P::kScaleP), w[1], even);
  even = hn::Mul(constant(P::kScaleQ), w[0]);
  u[2] = hn::MulAdd(constant(P::kQ * P::kScaleQ), w[1], even);
  u[3] = hn::MulSub(constant(P::kQ * P::kScaleQ), w[1], even);
  u[4] = w[1];
}
// G^T.
HWY_INLINE void filter_from_points(const Vec (&u)[6], Vec (&w)[3]) {
  using P = Points<6>;
  const Vec p = hn::Mul(constant(P::kScaleP), hn::Add(u[1], u[2])),
            q = hn::Mul(constant(P::kScaleQ), hn::Add(u[3], u[4]));
  w[0] = hn::MulAdd(constant(P::kScale0), u[0], hn::Add(p, q));
  w[1] = hn::MulAdd(constant(P::kP * P::kScaleP), hn::Sub(u[1], u[2]),
                    hn::Mul(constant(P::kQ * P::kScaleQ), hn::Sub(u[3], u[4])));
  w[2] = hn::MulAdd(constant(P::kP2), p, hn::MulAdd(constant(P::kQ2), q, u[5]));
}
HWY_INLINE void filter_from_points(const Vec (&u)[5], Vec (&w)[2]) {
  using P = Points<5>;
  w[0] = hn::MulAdd(constant(P::kScaleP), hn::Sub(u[0], u[1]), hn::Mul(constant(P::kScaleQ), hn::Sub(u[2], u[3])));
  w[1] = hn::MulAdd(constant(P::kP * P::kScaleP), hn::Add(u[0], u[1]),
                    hn::MulAdd(constant(P::kQ * P::kScaleQ), hn::Add(u[2], u[3]), u[4]));
}

// --- tiles ---------------------------------------------------------------------------------------------------------

// The tiles of a batch, numbered row by row, image by image. One of an image is kOutputs x kOutputs outputs, one of a
// signal 1 x kOutputs. Its points are rows x columns: 6 x 6 (3x3 taps), 5 x 5 (2x2) or, of a signal, 1 x 6.
// One of a volume is a column of `planes` tiles, one behind the other; the last of them may lie beyond the volume.
struct Tiling {
  int n = 0, z = 0, y = 0, x = 0, rows = 0, columns = 0, planes = 1;
  Tiling() = default;
  Tiling(int images, int h, int w, int point_rows, int point_columns, int depth = 1)
      : n(images),
        z(int(ceil_div(depth, kMaxPlanes))),
        y(point_rows > 1 ? int(ceil_div(h, kOutputs)) : h),
        x(int(ceil_div(w, kOutputs))),
        rows(point_rows),
        columns(point_columns),
        planes(z > 0 ? int(ceil_div(depth, z)) : 1) {}
  static constexpr int kMaxPlanes = 32;
  bool planar() const { return rows > 1; }
  int64_t count() const { return int64_t{n} * z * y * x; }
  int points() const { return rows * columns; }
  int taps_y() const { return planar() ? taps_of(rows) : 1; }
  int taps_x() const { return taps_of(columns); }
};
struct TileRange {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};
// The tiles of a range, f(index within the range, image, plane of its first output, row of it, column of it).
template <class F>
HWY_INLINE void for_each_tile(const Tiling& tiling, TileRange range, F&& f) {
  const int64_t row = range.begin / tiling.x, plane = row / tiling.y;
  int x = int(range.begin % tiling.x), y = int(row % tiling.y), z = int(plane % tiling.z), n = int(plane / tiling.z);
  const int step_y = tiling.planar() ? kOutputs : 1;
  for (int64_t i = 0; i < range.size(); ++i) {
    f(i, n, z * tiling.planes, y * step_y, x * kOutputs);
    if (++x == tiling.x) {
      x = 0;
      if (++y == tiling.y) {
        y = 0;
        if (++z == tiling.z) z = 0, ++n;
      }
    }
  }
}

constexpr int kAhead = 2 * kOutputs;  // columns ahead of its tile that data is asked for: it comes from afar

// An array [n,h,w,channels] that is cut into patches; tile (row, column) has its patch from (row * step - pad_y, column
// * step - pad_x) on, every step-th row and column of it. What lies outside is 0. The patches that begin up to step - 1
// rows and columns further are its phases: together they hold everything. A tile of a volume [n,d,h,w,channels] has a
// patch of every plane from its first - pad_z on.
struct Source {
  const float* data;
  int64_t pitch;
  int h, w, channels, pad_y, pad_x;
  int step = 1;  // or 2
  int d = 1, pad_z = 0;

  int phases() const { return step * step; }
  // The steps to a place at or behind `distance`; divisions would take longer than all else that a tile is located by.
  int steps(int distance) const { return distance <= 0 ? 0 : (distance + step - 1) >> (step - 1); }
};
// How many of a filter's taps hit a phase; and of the first phases how many have `most`.
constexpr int taps_of_phase(int taps, int step, int phase) { return (taps - phase + step - 1) / step; }
constexpr int phases_with(int most, int taps, int step) {
  int phases = 0;
  while (phases < step && taps_of_phase(taps, step, phases) == most) ++phases;
  return phases;
}

enum class Extent {
  inside,  // all of it is there
  border,  // only rows and columns [begin, end), with all channels of a vector: what lies outside is read from kZeros
  rest     // and only the first channels of the vector
};
HWY_ALIGN constexpr float kZeros[kLanes] = {};
constexpr int kHalf = kLanes / 2;

// Patch [kH][kW] of one vector of channels -> [kRows][kColumns] points, `step` apart. With kPair half a vector of a
// plane and half a vector of the next, `next` values away, in one.
template <int kRows, int kColumns, int kH, int kW, Extent kExtent, bool kPair = false>
HWY_INLINE void transform_patch(const float* data, int64_t origin, int64_t row, int64_t column, const int (&rows)[2],
                                const int (&columns)[2], int count, float* to, int64_t step,
                                [[maybe_unused]] int64_t next) {
  const Vf d;
  auto read = [&](const float* p, [[maybe_unused]] const float* p_next) HWY_ATTR {
    const hn::Half<Vf> half;
    if constexpr (kPair) return hn::Combine(d, hn::LoadU(half, p_next), hn::LoadU(half, p));
    else return hn::LoadU(d, p);
  };
  auto load = [&](int i, int j) HWY_ATTR {
    const int64_t at = origin + i * row + j * column;
    if constexpr (kExtent == Extent::inside) return read(data + at, data + at + next);
    const bool there = (rows[0] <= i) & (i < rows[1]) & (columns[0] <= j) & (j < columns[1]);
    if constexpr (kExtent == Extent::border) return read(there ? data + at : kZeros, there ? data + at + next : kZeros);
    else return there ? load_first(data + at, count) : hn::Zero(d);
  };
  Vec half[kRows][kW];
  for (int j = 0; j < kW; ++j) {
    if constexpr (kH == 1) {
      half[0][j] = load(0, j);
    } else {
      Vec in[kH], out[kRows];
      HWY_UNROLL(6) for (int i = 0; i < kH; ++i) in[i] = load(i, j);
      to_points(in, out);
      HWY_UNROLL(6) for (int i = 0; i < kRows; ++i) half[i][j] = out[i];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    Vec out[kColumns];
    to_points(half[i], out);
    HWY_UNROLL(6) for (int j = 0; j < kColumns; ++j) hn::StoreU(out[j], d, to + (i * kColumns + j) * step);
  }
}

// What of a source is read: `phases` phases from first_phase on (of a volume, so many planes), of each the channels
// [first, first + channels).
struct Part {
  int first_phase, phases, first, channels;
};
// Where its points go: to[point][tile][phase or plane][channel], with the distances from each to the next. The last
// vector of channels is written whole: what follows in the order of tiles and phases is written after it, or is padding.
struct Patches {
  float* to;
  int64_t point, tile, phase;
};
template <int kRows, int kColumns, int kH, int kW, bool kVolume = false>
HWY_NOINLINE void transform_patches(const Tiling& tiling, TileRange range, const Source& s, const Part& part,
                                    const Patches& patches) {
  const int64_t column = s.step * s.pitch, row = s.step * s.w * s.pitch;
  for_each_tile(tiling, range, [&](int64_t tile, int n, int tile_z, int tile_y, int tile_x) HWY_ATTR {
    float* out = patches.to + tile * patches.tile;
    for (int phase = 0; phase < part.phases; ++phase, out += patches.phase) {
      int64_t image = n;
      int y = tile_y * s.step - s.pad_y, x = tile_x * s.step - s.pad_x;
      if constexpr (kVolume) {
        const int z = tile_z - s.pad_z + phase;
        if (z < 0 || z >= s.d) {
          for (int p = 0; p < kRows * kColumns; ++p)
            for (int c = 0; c < part.channels; c += kLanes)
              hn::StoreU(hn::Zero(Vf()), Vf(), out + p * patches.point + c);
          continue;
        }
        image = int64_t{n} * s.d + z;
      } else {
        const int of_all = part.first_phase + phase;
        y += of_all >> (s.step - 1), x += of_all & (s.step - 1);
      }
      const int rows[2] = {s.steps(-y), int(at_most(kH, s.steps(s.h - y)))},
                columns[2] = {s.steps(-x), int(at_most(kW, s.steps(s.w - x)))};
      const bool inside = rows[0] == 0 && rows[1] == kH && columns[0] == 0 && columns[1] == kW;
      const int64_t origin = ((image * s.h + y) * s.w + x) * s.pitch + part.first;
      if constexpr (kVolume && kLanes == 16) {  // as the planes lie, so do their points
        const int z = tile_z - s.pad_z + phase;
        if (part.channels == kHalf && patches.phase == kHalf && phase + 1 < part.phases && z + 1 < s.d) {
          const int64_t next = int64_t{s.h} * s.w * s.pitch;
          for (int i = 0; i < kH; ++i)
            for (int j = kAhead + kW - kOutputs; j < kAhead + kW; j += 2) {
              __builtin_prefetch(s.data + origin + i * row + j * column);
              __builtin_prefetch(s.data + origin + next + i * row + j * column);
            }
          (inside ? transform_patch<kRows, kColumns, kH, kW, Extent::inside, true>
                  : transform_patch<kRows, kColumns, kH, kW, Extent::border, true>)(s.data, origin, row, column, rows,
                                                                                    columns, kLanes, out, patches.point,
                                                                                    next);
          ++phase, out += patches.phase;
          continue;
        }
      }
      int c = 0;
      for (; c + kLanes <= part.channels; c += kLanes) {
        for (int i = 0; i < kH; ++i)
          for (int j = kAhead + kW - kOutputs; j < kAhead + kW; ++j)
            __builtin_prefetch(s.data + origin + c + i * row + j * column);
        (inside ? transform_patch<kRows, kColumns, kH, kW, Extent::inside>
                : transform_patch<kRows, kColumns, kH, kW, Extent::border>)(s.data, origin + c, row, column, rows,
                                                                            columns, kLanes, out + c, patches.point, 0);
      }
      if (c < part.channels)
        transform_patch<kRows, kColumns, kH, kW, Extent::rest>(s.data, origin + c, row, column, rows, columns,
                                                               part.channels - c, out + c, patches.point, 0);
    }
  });
}
using TransformPatches = void (*)(const Tiling&, TileRange, const Source&, const Part&, const Patches&);
// B^T x B of the patches that outputs read.
TransformPatches transform_inputs(const Tiling& tiling, bool volume) {
  if (volume) return transform_patches<6, 6, 6, 6, true>;
  if (!tiling.planar()) return transform_patches<1, 6, 1, 6>;
  return tiling.rows == 6 ? transform_patches<6, 6, 6, 6> : transform_patches<5, 5, 5, 5>;
}
// A y A^T of tiles of outputs.
TransformPatches transform_outputs(const Tiling& tiling, bool volume) {
  if (volume) return transform_patches<6, 6, kOutputs, kOutputs, true>;
  if (!tiling.planar()) return transform_patches<1, 6, 1, kOutputs>;
  return tiling.rows == 6 ? transform_patches<6, 6, kOutputs, kOutputs> : transform_patches<5, 5, kOutputs, kOutputs>;
}

// One vector of output channels of one tile: points, `step` apart -> [kH][kOutputs]. Whole: all of it lies inside.
template <int kRows, int kColumns, bool kWhole>
HWY_INLINE void write_tile(const float* from, int64_t step, Vec bias, const float* limits, float* out, int64_t row,
                           int64_t column, int rows, int columns, int count) {
  const Vf d;
  constexpr int kH = kRows == 1 ? 1 : kOutputs;
  Vec half[kH][kColumns];
  for (int j = 0; j < kColumns; ++j) {
    if constexpr (kH == 1) {
      half[0][j] = hn::LoadU(d, from + j * step);
    } else {
      Vec in[kRows], sums[kH];
      HWY_UNROLL(6) for (int i = 0; i < kRows; ++i) in[i] = hn::LoadU(d, from + (i * kColumns + j) * step);
      from_points(in, sums);
      HWY_UNROLL(4) for (int i = 0; i < kH; ++i) half[i][j] = sums[i];
    }
  }
  for (int i = 0; i < (kWhole ? kH : rows); ++i) {
    Vec y[kOutputs];
    from_points(half[i], y);
    float* to = out + i * row;
    HWY_UNROLL(4) for (int j = 0; j < kOutputs; ++j) {
      Vec v = hn::Add(y[j], bias);
      if (limits) v = limited(v, limits);
      if constexpr (kWhole) hn::StoreU(v, d, to + j * column);
      else if (j < columns) store_first(v, to + j * column, count);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
