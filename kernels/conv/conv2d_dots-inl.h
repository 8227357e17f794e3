// A gather (conv2d_gather-inl.h) of very few output channels of many input channels: input channels lie in vectors, as
// they do in memory, so nothing is turned. A tile of pixels x output channels stays in registers, each a vector of sums
// whose lanes are added up at the end. Included by conv2d_simd.cpp, once per instruction set.
#if defined(KERN_CONV2D_DOTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_DOTS_INL_H
#undef KERN_CONV2D_DOTS_INL_H
#else
#define KERN_CONV2D_DOTS_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d_gather-inl.h"
#include "kernels/conv/conv2d_planar-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int kMaxDotColumns = kLanes < 8 ? kLanes / 2 : 4;
// Registers: M x K sums, and the K weights or M values that they share, and one of the other.
constexpr int kDotSums = kManyRegisters ? 24 : HWY_TARGET == HWY_AVX2 ? 12 : 8;
constexpr int dot_pixels(int columns) { return int(columns == 1 ? 12 : kDotSums / columns); }

// Where few columns would leave vectors empty, and products are enough to repay the adding up of lanes.
bool all_dotted(const Phases& phases) {
  int64_t products = 0;  // of an output channel
  for (const Gather& g : phases) {
    if (g.groups != 1 || g.columns > kMaxDotColumns || g.reduce < 2 * kLanes || g.taps() == 0) return false;
    products += g.taps() * g.reduce;
  }
  return products >= 4 * kLanes * phases.count;
}

// The floats that dot_gather() reads in place of w, packed_size() at most: [plane][row][tap][vector][column][lane], 0
// where a tap's last vector has no channel.
int64_t dots_per_tap(const Gather& g) { return ceil_div(g.reduce, kLanes) * kLanes * g.columns; }
int64_t dots_size(const Gather& g) { return g.taps() * dots_per_tap(g); }
void pack_dots(const Gather& g, const float* w, float* packed) {
  for (int tz = 0; tz < g.z.taps; ++tz)
    for (int ty = 0; ty < g.y.taps; ++ty)
      for (int tx = 0; tx < g.x.taps; ++tx)
        for (int c = 0; c < g.reduce; c += kLanes)
          for (int k = 0; k < g.columns; ++k)
            for (int l = 0; l < kLanes; ++l)
              *packed++ = c + l < g.reduce ? w[g.w_at(tz, ty, tx) + k * g.w_column + (c + l) * g.w_reduce] : 0.0f;
}

// The lanes of four vectors added up.
HWY_INLINE hn::Vec<Four> sums_of_lanes(hn::Vec<Vf> (&v)[4]) {
  transpose_blocks(v);
  const auto blocks = hn::Add(hn::Add(v[0], v[1]), hn::Add(v[2], v[3]));
#if HWY_MAX_BYTES == 16
  return blocks;
#elif HWY_MAX_BYTES == 32
  return hn::Add(hn::LowerHalf(blocks), hn::UpperHalf(Four(), blocks));
#else
  const hn::Half<Vf> half;
  const auto both = hn::Add(hn::LowerHalf(blocks), hn::UpperHalf(half, blocks));
  return hn::Add(hn::LowerHalf(both), hn::UpperHalf(Four(), both));
#endif
}

struct DotTile {
  const float *in, *weights;
  int64_t pixel;                // from pixel to pixel
  Loop planes, rows, taps;      // b: of the weights
  int64_t vectors;              // of a tap's channels, whole ones
  int rest;                     // channels of one more, or 0
  const float *start, *limits;  // kDotStarts biases, column after column again and again; the least and the greatest
                                // output, or null
  float* out;
  int64_t step;        // from pixel to pixel of it
  const float* ahead;  // what is called for while this is computed, a line with every vector of channels
  int64_t line;        // to the next of it
};
constexpr int kDotStarts = 24;
using DotFunction = void (*)(const DotTile&);

// The compiler is to load a value once and keep it, not to read it again for every product.
HWY_INLINE void keep([[maybe_unused]] hn::Vec<Vf>& v) {
#if HWY_ARCH_X86
  asm("" : "+v"(v.raw));
#endif
}
// One vector of channels; kRest: its first `rest` channels.
template <int M, int K, int kGroups, bool kRest>
HWY_INLINE void add_dots(const float* const (&a)[kGroups], int64_t pixel, const float* w, [[maybe_unused]] int rest,
                         hn::Vec<Vf> (&sum)[M][K]) {
  const Vf d;
  constexpr int kGroup = (M + kGroups - 1) / kGroups;
  hn::Vec<Vf> wk[K];
  HWY_UNROLL(4) for (int k = 0; k < K; ++k) wk[k] = hn::LoadU(d, w + k * kLanes);
  HWY_UNROLL(16) for (int i = 0; i < M; ++i) {
    const float* from = a[i / kGroup] + i % kGroup * pixel;
    auto x = kRest ? load_first(from, rest) : hn::LoadU(d, from);
    if (K > 1) keep(x);
    HWY_UNROLL(4) for (int k = 0; k < K; ++k) sum[i][k] = hn::MulAdd(x, wk[k], sum[i][k]);
  }
}

template <int M, int K>
HWY_NOINLINE void dot_tile(const DotTile& t) {
  const Vf d;
  constexpr int kGroups = (M + 4) / 5, kGroup = (M + kGroups - 1) / kGroups;  // pixels that share a pointer
  const int64_t pixel = t.pixel;
  hn::Vec<Vf> sum[M][K];
  HWY_UNROLL(16) for (int i = 0; i < M; ++i) { HWY_UNROLL(4) for (int k = 0; k < K; ++k) sum[i][k] = hn::Zero(d); }
  const float *in_plane = t.in, *w_plane = t.weights, *ahead = t.ahead;
  for (int64_t p = t.planes.n; p > 0; --p, in_plane += t.planes.a, w_plane += t.planes.b) {
    const float *in_row = in_plane, *w_row = w_plane;
    for (int64_t r = t.rows.n; r > 0; --r, in_row += t.rows.a, w_row += t.rows.b) {
      const float *in = in_row, *w_tap = w_row;
      for (int64_t s = t.taps.n; s > 0; --s, in += t.taps.a, w_tap += t.taps.b) {
        const float *a[kGroups], *w = w_tap;
        HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) a[i] = in + i * kGroup * pixel;
        for (int64_t v = t.vectors; v > 0; --v, w += K * kLanes, ahead += t.line) {
          __builtin_prefetch(ahead);
          add_dots<M, K, kGroups, false>(a, pixel, w, 0, sum);
          HWY_UNROLL(4) for (int i = 0; i < kGroups; ++i) {
            a[i] += kLanes;
            hide(a[i]);
          }
        }
        if (t.rest) add_dots<M, K, kGroups, true>(a, pixel, w, t.rest, sum);
      }
    }
  }
  const Four four;
  constexpr int kQuads = (M * K + 3) / 4;
  static_assert(4 * kQuads <= kDotStarts);
  HWY_ALIGN float sums[4 * kQuads];
  HWY_UNROLL(8) for (int i = 0; i < kQuads; ++i) {
    hn::Vec<Vf> v[4];
    HWY_UNROLL(4) for (int j = 0; j < 4; ++j) {
      const int of = 4 * i + j;
      v[j] = of < M * K ? sum[of < M * K ? of / K : 0][of % K] : hn::Zero(d);
    }
    auto result = hn::Add(sums_of_lanes(v), hn::LoadU(four, t.start + 4 * i));
    if (t.limits) {
      const auto low = hn::Set(four, t.limits[0]), high = hn::Set(four, t.limits[1]);
      result = hn::IfThenElse(hn::Lt(result, low), low, result);
      result = hn::IfThenElse(hn::Gt(result, high), high, result);
    }
    hn::Store(result, four, sums + 4 * i);
  }
  float* out = t.out;
  HWY_UNROLL(16) for (int i = 0; i < M; ++i, out += t.step) {
    HWY_UNROLL(4) for (int k = 0; k < K; ++k) out[k] = sums[i * K + k];
  }
}

// Tiles of 1 pixel to dot_pixels(columns).
struct DotFunctions {
  DotFunction of[12];  // of so many pixels, less 1
  int pixels;          // of the widest
};
template <int K, size_t... M>
DotFunctions dot_functions(std::index_sequence<M...>) {
  return {{dot_tile<int(M) + 1, K>...}, sizeof...(M)};
}
template <int K = kMaxDotColumns>
DotFunctions dot_functions(int columns) {
  if constexpr (K > 1)
    if (columns < K) return dot_functions<K - 1>(columns);
  return dot_functions<K>(std::make_index_sequence<dot_pixels(K)>());
}

// Outputs js of a row. ahead: where it is not 0, the inputs that outputs so far on read are called for.
void dot_row(const Gather& g, const DotFunctions& tile, const float* packed, const float* start, Range inside,
             const Row& row, Range js, int ahead) {
  const Range tz = g.z.taps_at(row.o), ty = g.y.taps_at(row.i);
  const int64_t per_tap = dots_per_tap(g), in_row = row.input(g, tz.begin, ty.begin), out_row = row.output(g);
  const bool taps_touch =
      g.x.in_tap == 1 && g.in_pitch == g.reduce && g.reduce % kLanes == 0;  // one loop with channels
  const auto run = [&](Range tx, int j, int pixels) {
    DotTile t{};
    t.in = g.in + (in_row * g.x.in_size + g.x.input(j, tx.begin)) * g.in_pitch;
    t.weights = packed + ((int64_t{tz.begin} * g.y.taps + ty.begin) * g.x.taps + tx.begin) * per_tap;
    t.pixel = g.x.in_step * g.in_pitch;
    t.planes = {tz.size(), int64_t{g.z.in_tap} * g.y.in_size * g.x.in_size * g.in_pitch,
                int64_t{g.y.taps} * g.x.taps * per_tap};
    t.rows = {ty.size(), int64_t{g.y.in_tap} * g.x.in_size * g.in_pitch, g.x.taps * per_tap};
    t.taps = {taps_touch ? (tx.size() > 0) : tx.size(), g.x.in_tap * g.in_pitch, per_tap};
    t.vectors = int64_t{taps_touch ? tx.size() : 1} * (g.reduce / kLanes);
    t.rest = g.reduce % kLanes;
    t.start = start;
    t.limits = g.limits;
    t.out = g.out + (out_row * g.x.out_size + g.x.output(j)) * g.out_pitch;
    t.step = g.x.out_step * g.out_pitch;
    t.ahead = t.in;
    if (ahead) {
      t.ahead += (ahead + g.x.taps - 1) * t.pixel + (tz.size() - 1) * t.planes.a + (ty.size() - 1) * t.rows.a;
      t.line = 16;
    }
    tile.of[pixels - 1](t);
  };
  const Range whole = overlap(js, inside);
  const auto at_border = [&](int begin, int end) {
    for (int j = begin; j < end; ++j) run(g.x.taps_at(j), j, 1);
  };
  if (whole.size() == 0) return at_border(js.begin, js.end);
  at_border(js.begin, whole.begin);
  const EvenTiles tiles(whole.size(), tile.pixels);
  for (int i = 0; i < tiles.count; ++i) run({0, g.x.taps}, whole.begin + tiles.begin(i), tiles.length(i));
  at_border(whole.end, js.end);
}

// All residues of a stride at once, or one gather.
void dot_gather(const Phases& phases, const float* packed) {
  constexpr int kPart = 512, kNear = 4096;  // outputs of a unit of work; floats of the input that residues share
  const Gather& f = phases.first();
  const Gather* most = &f;  // the residue that reads most
  Range inside[kMaxPhases];
  int rows = 0, columns = 0;
  int64_t macs = 0;
  for (int i = 0; i < phases.count; ++i) {
    const Gather& g = phases.of[i];
    rows = int(at_least(rows, g.y.n)), columns = int(at_least(columns, g.x.n));
    macs += at_most(columns, kPart) * g.columns * g.taps() * g.reduce;
    if (g.taps() > most->taps()) most = &g;
    inside[i] = g.x.inside();
  }
  const DotFunctions tile = dot_functions(f.columns);
  float start[kDotStarts];
  for (int i = 0; i < kDotStarts; ++i) start[i] = f.bias ? f.bias[i % f.columns] : 0.0f;
  const int64_t near = int64_t{most->z.taps} * most->y.taps * f.reduce;  // of one output
  const int strip = phases.count == 1 ? kPart : int(at_least(1, kNear / near / tile.pixels) * tile.pixels);
  const int64_t parts = ceil_div(columns, kPart), image = f.z.n * int64_t{rows};
  parallel_for(f.n * image * parts, at_least(1, (1 << 19) / at_least(1, macs)), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t of = unit / parts, part = unit % parts;
      const Row row(int(of / image), int(of % image / rows), int(of % rows));
      const int last = int(columns * (part + 1) / parts);
      for (int j = int(columns * part / parts); j < last; j += strip) {
        const Range js{j, int(at_most(last, j + strip))};
        const float* weights = packed;
        for (int i = 0; i < phases.count; ++i) {
          const Gather& g = phases.of[i];
          const Range own = overlap(js, {0, g.x.n});
          if (row.i < g.y.n && own.size() > 0)
            dot_row(g, tile, weights, start, inside[i], row, own, &g == most ? strip : 0);
          weights += dots_size(g);
        }
      }
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
