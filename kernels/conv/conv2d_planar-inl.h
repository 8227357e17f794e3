// A gather (conv2d_gather-inl.h) of fewer output channels than half a vector: here pixels lie in vectors. Rows of the
// input are turned into planes, one per channel, with zeros round them in place of borders; the planes of the rows that
// an output row reads stay in a ring in the nearest caches. A tile of output channels x vectors of pixels stays in
// registers while the taps run; then channels are turned back into rows. Included by conv2d_simd.cpp, once per
// instruction set.
#if defined(KERN_CONV2D_PLANAR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_PLANAR_INL_H
#undef KERN_CONV2D_PLANAR_INL_H
#else
#define KERN_CONV2D_PLANAR_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d_gather-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Four = hn::CappedTag<float, 4>;

// Four floats at each of p, p + 4 step, p + 8 step, ...: one vector.
template <class Load>
HWY_INLINE hn::Vec<Vf> load_blocks(const float* p, [[maybe_unused]] int64_t step, Load&& load) {
#if HWY_MAX_BYTES == 16
  return load(p);
#elif HWY_MAX_BYTES == 32
  return hn::Combine(Vf(), load(p + 4 * step), load(p));
#else
  const hn::Half<Vf> half;
  return hn::Combine(Vf(), hn::Combine(half, load(p + 12 * step), load(p + 8 * step)),
                     hn::Combine(half, load(p + 4 * step), load(p)));
#endif
}
template <class Store>
HWY_INLINE void store_blocks(hn::Vec<Vf> v, float* p, [[maybe_unused]] int64_t step, Store&& store) {
#if HWY_MAX_BYTES == 16
  store(v, p);
#elif HWY_MAX_BYTES == 32
  store(hn::LowerHalf(v), p);
  store(hn::UpperHalf(hn::Half<Vf>(), v), p + 4 * step);
#else
  const hn::Half<Vf> half;
  const hn::Half<decltype(half)> quarter;
  const auto low = hn::LowerHalf(v), high = hn::UpperHalf(half, v);
  store(hn::LowerHalf(low), p);
  store(hn::UpperHalf(quarter, low), p + 4 * step);
  store(hn::LowerHalf(high), p + 8 * step);
  store(hn::UpperHalf(quarter, high), p + 12 * step);
#endif
}
// In every block of four lanes: lane j of vector i becomes lane i of vector j.
HWY_INLINE void transpose_blocks(hn::Vec<Vf> (&v)[4]) {
  const Vf d;
  const hn::Repartition<double, Vf> wide;
  const auto a = hn::BitCast(wide, hn::InterleaveLower(d, v[0], v[1])),
             b = hn::BitCast(wide, hn::InterleaveLower(d, v[2], v[3])),
             e = hn::BitCast(wide, hn::InterleaveUpper(d, v[0], v[1])),
             f = hn::BitCast(wide, hn::InterleaveUpper(d, v[2], v[3]));
  v[0] = hn::BitCast(d, hn::InterleaveLower(wide, a, b));
  v[1] = hn::BitCast(d, hn::InterleaveUpper(wide, a, b));
  v[2] = hn::BitCast(d, hn::InterleaveLower(wide, e, f));
  v[3] = hn::BitCast(d, hn::InterleaveUpper(wide, e, f));
}

// `pixels` rows of `channels` values, `pitch` apart, into planes `plane` apart.
void to_planes(const float* from, int64_t pitch, int channels, int pixels, float* to, int64_t plane) {
  if (channels == 1 && pitch == 1) {
    for (int i = 0; i < pixels; ++i) to[i] = from[i];
    return;
  }
  if (pixels < kLanes) {
    for (int c = 0; c < channels; ++c)
      for (int i = 0; i < pixels; ++i) to[c * plane + i] = from[i * pitch + c];
    return;
  }
  const Vf d;
  auto block = [&](int i, int c, int count, auto&& load) {
    hn::Vec<Vf> v[4];
    const float* p = from + i * pitch + c;
    for (int j = 0; j < 4; ++j, p += pitch) v[j] = load_blocks(p, pitch, load);
    transpose_blocks(v);
    float* plane_of = to + c * plane + i;
    for (int j = 0; j < count; ++j, plane_of += plane) hn::StoreU(v[j], d, plane_of);
  };
  for (int i = 0; i < pixels; i = i + 2 * kLanes <= pixels || i + kLanes == pixels ? i + kLanes : pixels - kLanes) {
    int c = 0;
    for (; c + 4 <= channels; c += 4) block(i, c, 4, [](const float* p) { return hn::LoadU(Four(), p); });
    const int rest = channels - c;
    if (rest) block(i, c, rest, [rest](const float* p) { return load_first_four(p, rest); });
  }
}

// The sums of K channels of `count` <= kLanes pixels into rows that are `step` apart.
template <int K>
HWY_INLINE void from_planes(hn::Vec<Vf> (&sum)[K], float* to, int64_t step, int count) {
  const Vf d;
  if (K == 1 && step == 1) return store_first(sum[0], to, count);
  if (count < kLanes) {
    HWY_ALIGN float part[K][kLanes];
    for (int k = 0; k < K; ++k) hn::Store(sum[k], d, part[k]);
    for (int i = 0; i < count; ++i)
      for (int k = 0; k < K; ++k) to[i * step + k] = part[k][i];
    return;
  }
  HWY_UNROLL(2) for (int k = 0; k < K; k += 4) {
    hn::Vec<Vf> v[4];
    HWY_UNROLL(4) for (int j = 0; j < 4; ++j) v[j] = k + j < K ? sum[k + j < K ? k + j : 0] : hn::Zero(d);
    transpose_blocks(v);
    HWY_UNROLL(4) for (int j = 0; j < 4; ++j) {
      store_blocks(v[j], to + j * step + k, step, [k](auto block, float* p) {
        if (K - k >= 4) hn::StoreU(block, Four(), p);
        else store_first_four(block, p, K - k);
      });
    }
  }
}

// What a tile reads: for each of `rows` filter rows the planes of an input row, and weights [channel][tap][K].
struct PlanarTile {
  const float *const *planes, *const *weights;
  int rows, reduce, taps;
  int64_t plane, tap;  // from plane to plane, from tap to tap
  const float *bias, *limits;
  float* out;
  int64_t step;  // from pixel to pixel of the output
};
using PlanarFunction = void (*)(const PlanarTile&, int j, int count);

// Pixels [j, j + V vectors) of a row, or `count` of one vector.
template <int K, int V>
HWY_NOINLINE void planar_tile(const PlanarTile& t, int j, int count) {
  const Vf d;
  hn::Vec<Vf> sum[V][K];
  HWY_UNROLL(8) for (int k = 0; k < K; ++k) {
    const auto start = t.bias ? hn::Set(d, t.bias[k]) : hn::Zero(d);
    HWY_UNROLL(8) for (int v = 0; v < V; ++v) sum[v][k] = start;
  }
  for (int row = 0; row < t.rows; ++row) {
    const float *plane = t.planes[row] + j, *w = t.weights[row];
    for (int c = t.reduce; c > 0; --c, plane += t.plane) {
      const float* x = plane;
      for (int s = t.taps; s > 0; --s, x += t.tap, w += K) {
        hn::Vec<Vf> xv[V];
        HWY_UNROLL(8) for (int v = 0; v < V; ++v) xv[v] = hn::LoadU(d, x + v * kLanes);
        HWY_UNROLL(8) for (int k = 0; k < K; ++k) {
          const auto wk = hn::Set(d, w[k]);
          HWY_UNROLL(8) for (int v = 0; v < V; ++v) sum[v][k] = hn::MulAdd(xv[v], wk, sum[v][k]);
        }
      }
    }
  }
  if (t.limits) {
    HWY_UNROLL(8) for (int v = 0; v < V; ++v) {
      HWY_UNROLL(8) for (int k = 0; k < K; ++k) sum[v][k] = limited(sum[v][k], t.limits);
    }
  }
  HWY_UNROLL(8)
  for (int v = 0; v < V; ++v) from_planes(sum[v], t.out + (j + v * kLanes) * t.step, t.step, V == 1 ? count : kLanes);
}

constexpr int kMaxPlanarColumns = kLanes / 2;
constexpr int planar_vectors(int columns) {
  return kManyRegisters ? (columns <= 2 ? 6 : columns <= 5 ? 4 : 3) : columns <= 2 ? 4 : 2;
}
struct PlanarFunctions {
  PlanarFunction of[6];  // of so many vectors, less 1
  int vectors;           // of the widest
};
template <int K, size_t... V>
PlanarFunctions planar_functions(std::index_sequence<V...>) {
  return {{planar_tile<K, int(V) + 1>...}, sizeof...(V)};
}
template <int K = kMaxPlanarColumns>
PlanarFunctions planar_functions(int columns) {
  if constexpr (K > 1)
    if (columns < K) return planar_functions<K - 1>(columns);
  return planar_functions<K>(std::make_index_sequence<planar_vectors(K)>());
}

// Gathers from one array with a few columns: the residues of a stride, or one. They read the same rows, which are
// turned once for all.
//
// How rows are cut into parts: the planes of one shall fit into half of the nearest cache, or else be wide enough for a
// whole tile and fit into the second. A ring: the rows that one output row of any gather reads, and those between them;
// of a volume one for every input plane that an output plane reads.
struct PlanarCut {
  static constexpr int kFloats = 49152, kNear = 4096,
                       kBand = 32,  // of all planes; of those in the nearest cache; output rows of a ring
      kMaxTaps = 16;                // filter rows, of all filter planes
  int rows = 0, columns = 0;        // of the outputs of the gather that has the most
  int first_row, first_column;      // of the input that output (0, 0) of any gather reads
  int rings, ring, span, part = 0, parts = 0;
  int64_t width = 0;  // of a plane
  explicit PlanarCut(const Phases& phases)
      : first_row(phases.first().y.in_first), first_column(phases.first().x.in_first) {
    int last_row = first_row, last_column = first_column;
    for (const Gather& g : phases) {
      rows = int(at_least(rows, g.y.n)), columns = int(at_least(columns, g.x.n));
      first_row = int(at_most(first_row, g.y.in_first)), first_column = int(at_most(first_column, g.x.in_first));
      last_row = int(at_least(last_row, g.y.input(0, g.y.taps - 1)));
      last_column = int(at_least(last_column, g.x.input(0, g.x.taps - 1)));
    }
    rings = rings_of(phases.first()), ring = last_row - first_row + 1, span = last_column - first_column;
    const int64_t planes = int64_t{rings} * ring * phases.first().reduce, rest = round_up(span) + kLanes;
    const int64_t wide = at_least(64, planar_vectors(phases.first().columns) * kLanes),
                  fit = (kFloats / planes - rest) / kLanes * kLanes;
    int64_t most = at_most(fit, at_least(wide, (kNear / planes - rest) / kLanes * kLanes));
    if (most <= 0) return;
    if (columns <= fit && columns < 2 * most) most = round_up(columns);  // halves would be narrower than a tile
    parts = int(ceil_div(columns, most));
    part = int(round_up(ceil_div(columns, parts)));
    width = part + rest;
  }
  bool serves() const { return part > 0 && (part >= 2 * span || parts == 1); }
  static int rings_of(const Gather& g) { return (g.z.taps - 1) * g.z.in_tap + 1; }
  static constexpr int64_t round_up(int64_t n) { return ceil_div(n, kLanes) * kLanes; }
};
bool is_planar(const Gather& g) {
  if (g.groups != 1 || g.z.taps * g.y.taps > PlanarCut::kMaxTaps || g.columns > kMaxPlanarColumns || g.x.in_step != 1 ||
      g.taps() == 0 || g.x.n < kLanes)
    return false;
  // Not of very many input channels: their planes would be narrow.
  const int64_t planes = PlanarCut::rings_of(g) * (int64_t{g.y.taps - 1} * g.y.in_tap + 1) * g.reduce,
                span = int64_t{g.x.taps - 1} * g.x.in_tap, rest = PlanarCut::round_up(span) + kLanes;
  const int64_t most = at_most(16384 / planes - rest, at_least(64, 4096 / planes - rest)) / kLanes * kLanes;
  if (most <= 0) return false;
  const int64_t parts = ceil_div(g.x.n, most);
  return parts == 1 || PlanarCut::round_up(ceil_div(g.x.n, parts)) >= 2 * span;
}
// Whether planar_gather() takes them all at once.
bool planar_together(const Phases& phases) {
  for (const Gather& g : phases)
    if (!is_planar(g) || g.y.in_step != phases.first().y.in_step) return false;
  return PlanarCut(phases).serves();
}

// The floats that planar_gather() reads in place of w, packed_size() at most.
int64_t planar_size(const Gather& g) { return g.taps() * g.reduce * g.columns; }
void pack_planar(const Gather& g, const float* w, float* packed) {
  for (int tz = 0; tz < g.z.taps; ++tz)
    for (int ty = 0; ty < g.y.taps; ++ty)
      for (int c = 0; c < g.reduce; ++c)
        for (int tx = 0; tx < g.x.taps; ++tx)
          for (int k = 0; k < g.columns; ++k) *packed++ = w[g.w_at(tz, ty, tx) + k * g.w_column + c * g.w_reduce];
}
// Outputs js of a row of a gather. slot(plane, row): the planes of an input row, from the column on that output js.begin
// of the gather reads first.
template <class Slot>
void planar_row(const Gather& g, const PlanarFunctions& tile, const float* packed, int64_t plane, const Row& row,
                Range js, Slot&& slot) {
  const Range tz = g.z.taps_at(row.o), ty = g.y.taps_at(row.i);
  const float *rows[PlanarCut::kMaxTaps], *weights[PlanarCut::kMaxTaps];
  int count = 0;
  for (int z = tz.begin; z < tz.end; ++z)
    for (int y = ty.begin; y < ty.end; ++y, ++count) {
      rows[count] = slot(g.z.input(row.o, z), g.y.input(row.i, y));
      weights[count] = packed + (int64_t{z} * g.y.taps + y) * g.reduce * g.x.taps * g.columns;
    }
  const PlanarTile t{.planes = rows,
                     .weights = weights,
                     .rows = count,
                     .reduce = g.reduce,
                     .taps = g.x.taps,
                     .plane = plane,
                     .tap = g.x.in_tap,
                     .bias = g.bias,
                     .limits = g.limits,
                     .out = g.out + (row.output(g) * g.x.out_size + g.x.output(js.begin)) * g.out_pitch,
                     .step = g.x.out_step * g.out_pitch};
  const EvenTiles whole(js.size() / kLanes, tile.vectors);
  for (int i = 0; i < whole.count; ++i) tile.of[whole.length(i) - 1](t, whole.begin(i) * kLanes, kLanes);
  if (const int rest = js.size() % kLanes; rest > 0) tile.of[0](t, js.size() - rest, rest);
}

// The whole of them.
void planar_gather(const Phases& phases, const float* packed) {
  const Gather& f = phases.first();
  const PlanarCut cut(phases);
  if (f.z.n == 0 || cut.rows == 0 || cut.columns == 0) return;
  const EvenTiles bands(cut.rows, PlanarCut::kBand);
  const PlanarFunctions tile = planar_functions(f.columns);
  int64_t macs = 0;
  for (const Gather& g : phases) macs += int64_t{cut.part} * bands.size * g.columns * (g.taps() * g.reduce + 8);
  parallel_for(int64_t{f.n} * f.z.n * bands.count * cut.parts, at_least(1, (1 << 18) / macs),
               [&](int64_t begin, int64_t end) {
                 HWY_ALIGN float planes[PlanarCut::kFloats];
                 for (int64_t unit = begin; unit < end; ++unit) {
                   const int part = int(unit % cut.parts) * cut.part;
                   const int64_t image = unit / cut.parts / bands.count;
                   const int n = int(image / f.z.n), o = int(image % f.z.n);
                   const Range band = range_of(bands, int(unit / cut.parts % bands.count)),
                               js = {part, int(at_most(cut.columns, part + cut.part))};
                   // Plane column 0 is input column `first`; input columns [from, to) exist.
                   const int64_t first = js.begin + cut.first_column, length = js.size() + cut.span;
                   const int64_t from = at_most(first + length, at_least(0, first)),
                                 to = at_least(from, at_most(f.x.in_size, first + length));
                   const int64_t lead = (first - from) & (kLanes - 1);  // so that input columns lie on whole vectors
                   // The input planes that output plane o reads, of those that exist.
                   const int64_t front = f.z.input(o, 0), back = at_most(f.z.in_size, front + cut.rings);
                   const auto slot = [&](int64_t plane, int64_t row) {
                     return planes + ((plane - front) * cut.ring + row % cut.ring) * f.reduce * cut.width + lead;
                   };
                   int64_t next_row = 0;  // the first that has not been in the ring
                   for (int i = band.begin; i < band.end; ++i) {
                     const int64_t top = int64_t{i} * f.y.in_step + cut.first_row;
                     const int64_t bottom = at_most(f.y.in_size, top + cut.ring);
                     for (next_row = at_least(next_row, at_least(0, top)); next_row < bottom; ++next_row)
                       for (int64_t plane = at_least(0, front); plane < back; ++plane) {
                         float* const row = slot(plane, next_row);
                         for (int c = 0; c < f.reduce; ++c) {
                           for (int64_t x = 0; x < from - first; ++x) row[c * cut.width + x] = 0;
                           for (int64_t x = to - first; x < cut.width - lead; ++x) row[c * cut.width + x] = 0;
                         }
                         const int64_t in_row = (int64_t{n} * f.z.in_size + plane) * f.y.in_size + next_row;
                         to_planes(f.in + (in_row * f.x.in_size + from) * f.in_pitch, f.in_pitch, f.reduce,
                                   int(to - from), row + from - first, cut.width);
                       }
                     const float* weights = packed;
                     for (const Gather& g : phases) {
                       const Range own = overlap(js, {0, g.x.n});
                       if (i < g.y.n && own.size() > 0)
                         planar_row(g, tile, weights, cut.width, Row(n, o, i), own, [&](int64_t plane, int64_t row) {
                           return slot(plane, row) + g.x.in_first - cut.first_column;
                         });
                       weights += planar_size(g);
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
