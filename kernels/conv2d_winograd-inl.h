// Winograd's convolution F(4x4, 3x3), and F(4, 3) for signals: a tile of 4x4 outputs of a 3x3 filter is
//   y = A^T [ (G w G^T) . (B^T x B) ] A
// with 36 products a pair of channels instead of 144 (signals: 6 instead of 12). Here stand the transforms and forward
// and backward_data, which is forward with the filter turned round; conv2d_winograd_weight-inl.h has the third
// direction. Included by conv2d_winograd.cpp, once per instruction set.
//
// Lavin, Gray: Fast Algorithms for Convolutional Neural Networks (2016). The points are 0, +-3/4, +-3/2 and infinity:
// the usual 0, +-1, +-2 lose more than twice as many digits (Barabasz et al., 2020), and the squares of these are
// exact too.
#if defined(KERN_CONV2D_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WINOGRAD_INL_H
#undef KERN_CONV2D_WINOGRAD_INL_H
#else
#define KERN_CONV2D_WINOGRAD_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv2d.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t round_up(int64_t a, int64_t to) { return (a + to - 1) / to * to; }

// --- the transforms of one row or column ---------------------------------------------------------------------------

using Vec = hn::Vec<Vf>;
constexpr int kPoints = 6, kOutputs = 4;  // of a tile, in one direction
constexpr float kP = 0.75f, kQ = 1.5f;    // the points +-kP, +-kQ
constexpr float kP2 = kP * kP, kQ2 = kQ * kQ, kP3 = kP * kP2, kQ3 = kQ * kQ2;
HWY_INLINE Vec constant(float v) { return hn::Set(Vf(), v); }

// Row i of B^T holds the coefficients of prod_{j != i} (z - point j).
HWY_INLINE void to_points(const Vec (&d)[6], Vec (&v)[6]) {
  const Vec product = constant(kP2 * kQ2), sum = constant(kP2 + kQ2);
  v[0] = hn::MulAdd(product, d[0], hn::NegMulAdd(sum, d[2], d[4]));
  Vec even = hn::NegMulAdd(constant(kQ2), d[2], d[4]), odd = hn::NegMulAdd(constant(kQ2), d[1], d[3]);
  v[1] = hn::MulAdd(constant(kP), odd, even);
  v[2] = hn::NegMulAdd(constant(kP), odd, even);
  even = hn::NegMulAdd(constant(kP2), d[2], d[4]), odd = hn::NegMulAdd(constant(kP2), d[1], d[3]);
  v[3] = hn::MulAdd(constant(kQ), odd, even);
  v[4] = hn::NegMulAdd(constant(kQ), odd, even);
  v[5] = hn::MulAdd(product, d[1], hn::NegMulAdd(sum, d[3], d[5]));
}
// A: the polynomial of the four values at the points.
HWY_INLINE void to_points(const Vec (&y)[4], Vec (&v)[6]) {
  v[0] = y[0];
  Vec even = hn::MulAdd(constant(kP2), y[2], y[0]), odd = hn::MulAdd(constant(kP2), y[3], y[1]);
  v[1] = hn::MulAdd(constant(kP), odd, even);
  v[2] = hn::NegMulAdd(constant(kP), odd, even);
  even = hn::MulAdd(constant(kQ2), y[2], y[0]), odd = hn::MulAdd(constant(kQ2), y[3], y[1]);
  v[3] = hn::MulAdd(constant(kQ), odd, even);
  v[4] = hn::NegMulAdd(constant(kQ), odd, even);
  v[5] = y[3];
}
// A^T.
HWY_INLINE void from_points(const Vec (&m)[6], Vec (&y)[4]) {
  const Vec p_even = hn::Add(m[1], m[2]), p_odd = hn::Sub(m[1], m[2]), q_even = hn::Add(m[3], m[4]),
            q_odd = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(hn::Add(p_even, q_even), m[0]);
  y[1] = hn::MulAdd(constant(kQ), q_odd, hn::Mul(constant(kP), p_odd));
  y[2] = hn::MulAdd(constant(kQ2), q_even, hn::Mul(constant(kP2), p_even));
  y[3] = hn::MulAdd(constant(kQ3), q_odd, hn::MulAdd(constant(kP3), p_odd, m[5]));
}
// G: the polynomial of the filter at the points, each divided by the product of its distances from the others.
constexpr float kScale0 = 1 / (kP2 * kQ2), kScaleP = 1 / (2 * kP2 * (kP2 - kQ2)), kScaleQ = 1 / (2 * kQ2 * (kQ2 - kP2));
HWY_INLINE void filter_to_points(const Vec (&w)[3], Vec (&u)[6]) {
  u[0] = hn::Mul(constant(kScale0), w[0]);
  Vec even = hn::Mul(constant(kScaleP), hn::MulAdd(constant(kP2), w[2], w[0]));
  u[1] = hn::MulAdd(constant(kP * kScaleP), w[1], even);
  u[2] = hn::NegMulAdd(constant(kP * kScaleP), w[1], even);
  even = hn::Mul(constant(kScaleQ), hn::MulAdd(constant(kQ2), w[2], w[0]));
  u[3] = hn::MulAdd(constant(kQ * kScaleQ), w[1], even);
  u[4] = hn::NegMulAdd(constant(kQ * kScaleQ), w[1], even);
  u[5] = w[2];
}
// G^T.
HWY_INLINE void filter_from_points(const Vec (&u)[6], Vec (&w)[3]) {
  const Vec p = hn::Mul(constant(kScaleP), hn::Add(u[1], u[2])), q = hn::Mul(constant(kScaleQ), hn::Add(u[3], u[4]));
  w[0] = hn::MulAdd(constant(kScale0), u[0], hn::Add(p, q));
  w[1] = hn::MulAdd(constant(kP * kScaleP), hn::Sub(u[1], u[2]), hn::Mul(constant(kQ * kScaleQ), hn::Sub(u[3], u[4])));
  w[2] = hn::MulAdd(constant(kP2), p, hn::MulAdd(constant(kQ2), q, u[5]));
}

// --- tiles
// ------------------------------------------------------------------------------------------------------------

// The tiles of a batch, numbered row by row, image by image. One of an image is kOutputs x kOutputs outputs, one of a
// signal (planar = false) 1 x kOutputs.
struct Tiling {
  int n, y, x;
  bool planar;
  Tiling(int images, int h, int w, bool is_planar)
      : n(images), y(is_planar ? int(ceil_div(h, kOutputs)) : h), x(int(ceil_div(w, kOutputs))), planar(is_planar) {}
  int64_t count() const { return int64_t{n} * y * x; }
  int points() const { return planar ? kPoints * kPoints : kPoints; }
};
struct TileRange {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};
// The tiles of a range, f(index within the range, image, row of its first output, column of it).
template <class F>
HWY_INLINE void for_each_tile(const Tiling& tiling, TileRange range, F&& f) {
  int x = int(range.begin % tiling.x), y = int(range.begin / tiling.x % tiling.y),
      n = int(range.begin / tiling.x / tiling.y);
  const int step_y = tiling.planar ? kOutputs : 1;
  for (int64_t i = 0; i < range.size(); ++i) {
    f(i, n, y * step_y, x * kOutputs);
    if (++x == tiling.x) {
      x = 0;
      if (++y == tiling.y) y = 0, ++n;
    }
  }
}

constexpr int kAhead = 2 * kOutputs;  // columns ahead of its tile that data is asked for: it comes from afar

// An array [n,h,w,channels] that is cut into patches; tile (row, column) has its patch from (row - pad_y, column -
// pad_x) on. What lies outside is 0.
struct Source {
  const float* data;
  int64_t pitch;
  int h, w, channels, pad_y, pad_x;
};

// Patch [kH][kW] of one vector of channels -> points, `step` apart. Whole: the patch is inside, and all channels are
// there; otherwise rows and columns [begin, end) of it are inside.
template <int kH, int kW, bool kWhole>
HWY_INLINE void transform_patch(const float* data, int64_t origin, int64_t row, int64_t column, const int (&rows)[2],
                                const int (&columns)[2], int count, float* to, int64_t step) {
  const Vf d;
  constexpr int kRows = kH == 1 ? 1 : kPoints;
  auto load = [&](int i, int j) HWY_ATTR {
    const int64_t at = origin + i * row + j * column;
    if constexpr (kWhole) return hn::LoadU(d, data + at);
    else
      return rows[0] <= i && i < rows[1] && columns[0] <= j && j < columns[1] ? load_first(data + at, count)
                                                                              : hn::Zero(d);
  };
  Vec half[kRows][kW];
  for (int j = 0; j < kW; ++j) {
    if constexpr (kH == 1) {
      half[0][j] = load(0, j);
    } else {
      Vec in[kH], out[kPoints];
      HWY_UNROLL(6) for (int i = 0; i < kH; ++i) in[i] = load(i, j);
      to_points(in, out);
      HWY_UNROLL(6) for (int i = 0; i < kPoints; ++i) half[i][j] = out[i];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    Vec out[kPoints];
    to_points(half[i], out);
    HWY_UNROLL(6) for (int j = 0; j < kPoints; ++j) hn::StoreU(out[j], d, to + (i * kPoints + j) * step);
  }
}

// The patches of a range of tiles, channels [first, first + channels): to[point][tile][channel], `step` from point to
// point, `pitch` from tile to tile.
template <int kH, int kW>
HWY_NOINLINE void transform_patches(const Tiling& tiling, TileRange range, const Source& s, int first, int channels,
                                    float* to, int64_t step, int64_t pitch) {
  const int64_t column = s.pitch, row = s.w * s.pitch;
  for_each_tile(tiling, range, [&](int64_t tile, int n, int y, int x) HWY_ATTR {
    y -= s.pad_y, x -= s.pad_x;
    const int rows[2] = {int(at_least(0, -y)), int(at_most(kH, s.h - y))},
              columns[2] = {int(at_least(0, -x)), int(at_most(kW, s.w - x))};
    const bool inside = rows[0] == 0 && rows[1] == kH && columns[0] == 0 && columns[1] == kW;
    const int64_t origin = ((int64_t{n} * s.h + y) * s.w + x) * s.pitch + first;
    float* out = to + tile * pitch;
    int c = 0;
    if (inside)
      for (; c + kLanes <= channels; c += kLanes) {
        for (int i = 0; i < kH; ++i)
          for (int j = kAhead + kW - kOutputs; j < kAhead + kW; ++j)
            __builtin_prefetch(s.data + origin + c + i * row + j * column);
        transform_patch<kH, kW, true>(s.data, origin + c, row, column, rows, columns, kLanes, out + c, step);
      }
    for (; c < channels; c += kLanes)
      transform_patch<kH, kW, false>(s.data, origin + c, row, column, rows, columns, int(at_most(kLanes, channels - c)),
                                     out + c, step);
  });
}

// One vector of output channels of one tile: points, `step` apart -> [kH][kOutputs]. Whole: all of it lies inside.
template <int kH, bool kWhole>
HWY_INLINE void write_tile(const float* from, int64_t step, Vec bias, float* out, int64_t row, int64_t column, int rows,
                           int columns, int count) {
  const Vf d;
  Vec half[kH][kPoints];
  for (int j = 0; j < kPoints; ++j) {
    if constexpr (kH == 1) {
      half[0][j] = hn::LoadU(d, from + j * step);
    } else {
      Vec in[kPoints], sums[kH];
      HWY_UNROLL(6) for (int i = 0; i < kPoints; ++i) in[i] = hn::LoadU(d, from + (i * kPoints + j) * step);
      from_points(in, sums);
      HWY_UNROLL(4) for (int i = 0; i < kH; ++i) half[i][j] = sums[i];
    }
  }
  for (int i = 0; i < (kWhole ? kH : rows); ++i) {
    Vec y[kOutputs];
    from_points(half[i], y);
    float* to = out + i * row;
    HWY_UNROLL(4) for (int j = 0; j < kOutputs; ++j) {
      const Vec v = hn::Add(y[j], bias);
      if constexpr (kWhole) hn::StoreU(v, d, to + j * column);
      else if (j < columns) store_first(v, to + j * column, count);
    }
  }
}

// --- forward and backward_data
// ------------------------------------------------------------------------------------------

// out[n,i,j,:] = bias + sum_{r,s} in[n, i - pad_y + r, j - pad_x + s, :] w[r,s]: forward, or backward_data with the
// filter turned round. `reduce` channels in, `columns` out.
struct WinogradGather {
  Tiling tiling;
  Source in;
  float* out;
  int64_t out_pitch;
  int out_h, out_w, columns;
  const float* bias;  // may be null

  // The filter w[k,r,s,c]: from output channel to output channel, from input channel to input channel, the tap (0, 0),
  // from tap to tap.
  int64_t w_column, w_reduce, w_first, w_row, w_tap;

  int reduce() const { return in.channels; }
  int points() const { return tiling.points(); }
  static constexpr int kWidth = kMaxVectors * kLanes;  // columns of a block
  int column_blocks() const { return int(ceil_div(columns, kWidth)); }
  int width(int block) const { return int(round_up(at_most(kWidth, columns - block * kWidth), kLanes)); }

  // Transformed patches and sums of one block of tiles stay in the second-level cache. A pitch that is a power of two
  // would send all points to the same sets of the first-level cache.
  int64_t patch_pitch() const { return round_up(reduce(), kLanes); }
  int64_t patch_step(int64_t tiles) const { return round_up(tiles * patch_pitch(), 16) + 16; }
  int64_t sum_step(int64_t tiles) const { return round_up(tiles * kWidth, 16) + 16; }
  int64_t filter_size() const { return round_up(int64_t{points()} * reduce() * round_up(columns, kLanes), 16); }
  int64_t scratch_of_block(int64_t tiles) const { return points() * (patch_step(tiles) + sum_step(tiles)); }
};

// How the work is cut: blocks of tiles, and where these are few, groups of column blocks; all of it dealt out in at
// most kMaxChunks chunks, so that there are no more than so many scratch areas.
struct WinogradCut {
  static constexpr int kMaxChunks = 24;
  EvenTiles blocks;
  int groups, chunks;
  explicit WinogradCut(const WinogradGather& g) : blocks(int(g.tiling.count()), tiles_of_block(g)) {
    groups = int(at_least(1, at_most(g.column_blocks(), 8 / at_least(1, blocks.count))));
    chunks = int(at_most(kMaxChunks, int64_t{blocks.count} * groups));
  }
  // As many as the second-level cache holds beside the filters, in whole tiles of the micro-kernel; of signals, whose
  // patches are read back sooner, as many as measured best.
  static int tiles_of_block(const WinogradGather& g) {
    constexpr int kRows = max_rows(kMaxVectors);
    const int64_t fit =
        (g.tiling.planar ? 120'000 : 16'000) / (g.points() * (g.patch_pitch() + WinogradGather::kWidth));
    return int(at_least(28 / kRows, fit / kRows) * kRows);
  }
};

// u[column block][point][input channel][width]; here the pairs (column block, input channel) of [begin, end).
void transform_filters(const WinogradGather& g, const float* w, float* u, int64_t begin, int64_t end) {
  const Vf d;
  const hn::RebindToSigned<Vf> di;
  const int taps_y = g.tiling.planar ? 3 : 1;
  for (int64_t i = begin; i < end; ++i) {
    const int block = int(i / g.reduce()), c = int(i % g.reduce()), width = g.width(block);
    const int first = block * WinogradGather::kWidth;
    const int64_t step = int64_t{g.reduce()} * width;
    float* to = u + int64_t{g.points()} * g.reduce() * first + c * width;
    for (int v = 0; v < width; v += kLanes) {
      const int count = int(at_most(kLanes, g.columns - first - v));
      const float* from = w + g.w_first + (first + v) * g.w_column + c * g.w_reduce;
      const auto columns = hn::Mul(hn::Min(hn::Iota(di, 0), hn::Set(di, count - 1)), hn::Set(di, int(g.w_column)));
      auto load = [&](int r, int s) HWY_ATTR {
        const float* tap = from + r * g.w_row + s * g.w_tap;
        return g.w_column == 1 ? load_first(tap, count) : hn::GatherIndex(d, tap, columns);
      };
      Vec half[kPoints][3];
      for (int s = 0; s < 3; ++s) {
        Vec in[3], out[kPoints];
        if (taps_y == 1) {
          half[0][s] = load(0, s);
        } else {
          for (int r = 0; r < 3; ++r) in[r] = load(r, s);
          filter_to_points(in, out);
          for (int p = 0; p < kPoints; ++p) half[p][s] = out[p];
        }
      }
      for (int p = 0; p < g.points() / kPoints; ++p) {
        Vec out[kPoints];
        filter_to_points(half[p], out);
        for (int q = 0; q < kPoints; ++q) hn::StoreU(out[q], d, to + (p * kPoints + q) * step + v);
      }
    }
  }
}

// sums[point][tile][column] of one column block = patches x filters, a matrix product a point.
void multiply_points(const WinogradGather& g, int64_t tiles, int block, const float* patches, const float* u,
                     float* sums) {
  const int width = g.width(block), vectors = width / kLanes;
  const EvenTiles cut(int(tiles), max_rows(vectors));
  Tile t{};
  t.a_row = g.patch_pitch();
  t.outer = t.middle = {};
  t.inner = {g.reduce(), 1, width};
  t.c_row = WinogradGather::kWidth;
  t.columns = width;
  t.b = u + int64_t{g.points()} * g.reduce() * block * WinogradGather::kWidth;
  const TileFunction run[2] = {tile_function<Operands::strided>(cut.size + (cut.longer > 0), vectors),
                               tile_function<Operands::strided>(cut.size, vectors)};
  for (int p = 0; p < g.points(); ++p, t.b += int64_t{g.reduce()} * width) {
    t.a = patches + p * g.patch_step(tiles);
    t.c = sums + p * g.sum_step(tiles);
    if (cut.longer > 0) {
      t.repeat = cut.longer;
      run[0](t);
      t.a += int64_t{cut.begin(cut.longer)} * t.a_row;
      t.c += int64_t{cut.begin(cut.longer)} * t.c_row;
    }
    t.repeat = cut.count - cut.longer;
    run[1](t);
  }
}

template <int kH>
HWY_NOINLINE void write_tiles(const WinogradGather& g, TileRange range, int block, const float* sums) {
  const int64_t step = g.sum_step(range.size()), column = g.out_pitch, row = g.out_w * g.out_pitch;
  const int first = block * WinogradGather::kWidth, last = int(at_most(g.columns, first + WinogradGather::kWidth));
  for_each_tile(g.tiling, range, [&](int64_t tile, int n, int y, int x) HWY_ATTR {
    const float* from = sums + tile * WinogradGather::kWidth;
    float* to = g.out + ((int64_t{n} * g.out_h + y) * g.out_w + x) * g.out_pitch;
    const int rows = int(at_most(kH, g.out_h - y)), columns = int(at_most(kOutputs, g.out_w - x));
    for (int c = first; c < last; c += kLanes, from += kLanes) {
      const int count = int(at_most(kLanes, last - c));
      const Vec bias = g.bias ? load_first(g.bias + c, count) : hn::Zero(Vf());
      for (int i = 0; i < kH; ++i)
        for (int j = kAhead; j < kAhead + kOutputs; ++j) __builtin_prefetch(to + c + i * row + j * column, 1);
      if (rows == kH && columns == kOutputs && count == kLanes)
        write_tile<kH, true>(from, step, bias, to + c, row, column, rows, columns, count);
      else write_tile<kH, false>(from, step, bias, to + c, row, column, rows, columns, count);
    }
  });
}

size_t winograd_workspace(const WinogradGather& g) {
  const WinogradCut cut(g);
  const int64_t tiles = cut.blocks.count ? cut.blocks.length(0) : 0;
  return size_t(g.filter_size() + cut.chunks * g.scratch_of_block(tiles)) * sizeof(float);
}

// The whole gather; scratch as winograd_workspace says.
void winograd_gather(const WinogradGather& g, const float* w, float* scratch) {
  const WinogradCut cut(g);
  if (cut.blocks.count == 0) return;
  float* const u = scratch;
  float* const areas = scratch + g.filter_size();
  const int64_t area = g.scratch_of_block(cut.blocks.length(0)), units = int64_t{cut.blocks.count} * cut.groups;
  parallel_for(int64_t{g.column_blocks()} * g.reduce(), 64,
               [&](int64_t begin, int64_t end) { transform_filters(g, w, u, begin, end); });
  parallel_for(cut.chunks, 1, [&](int64_t chunk, int64_t) {
    float* const patches = areas + worker() * area;
    int done = -1;  // the block whose patches are there
    for (int64_t unit = units * chunk / cut.chunks; unit < units * (chunk + 1) / cut.chunks; ++unit) {
      const int block = int(unit / cut.groups), group = int(unit % cut.groups);
      const TileRange range{cut.blocks.begin(block), cut.blocks.begin(block) + cut.blocks.length(block)};
      float* const sums = patches + g.points() * g.patch_step(range.size());
      if (block != done)
        (g.tiling.planar ? transform_patches<kPoints, kPoints>
                         : transform_patches<1, kPoints>)(g.tiling, range, g.in, 0, g.reduce(), patches,
                                                          g.patch_step(range.size()), g.patch_pitch());
      done = block;
      for (int k = g.column_blocks() * group / cut.groups; k < g.column_blocks() * (group + 1) / cut.groups; ++k) {
        multiply_points(g, range.size(), k, patches, u, sums);
        (g.tiling.planar ? write_tiles<kOutputs> : write_tiles<1>)(g, range, k, sums);
      }
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
