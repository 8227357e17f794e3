// Winograd's convolution F(4x4, 3x3), F(4, 3) for signals, and F(4x4, 2x2): a tile of 4x4 outputs of a 3x3 filter is
//   y = A^T [ (G w G^T) . (B^T x B) ] A
// with 36 products a pair of channels instead of 144 (signals: 6 instead of 12; 2x2: 25 instead of 64). Here stand
// forward and backward_data; conv2d_winograd_tiles-inl.h has the transforms, conv2d_winograd_weight-inl.h the third
// direction.
//
// A 4x4 filter of stride 2 is four 2x2 filters of stride 1, one on every phase of the input (its even or odd rows and
// columns): forward adds their products up before it transforms back. backward_data is four gathers, one per phase of
// dx. A 3x3 filter is a 4x4 one with zeros: a phase that has one tap in a direction has nothing at the point infinity,
// and is left out there; 81 products remain of 144.
//
// Of a volume every plane is transformed so, and the products of a filter's planes are added up before the transform
// back. A tile is a column of planes whose points lie one behind the other: what an output plane reads, the points of
// all its input planes, is one run of values, and the next plane's begins one plane further; none is transformed twice.
// Included by conv2d_winograd.cpp, once per instruction set.
#if defined(KERN_CONV2D_WINOGRAD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WINOGRAD_INL_H
#undef KERN_CONV2D_WINOGRAD_INL_H
#else
#define KERN_CONV2D_WINOGRAD_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_winograd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

// Where a gather's outputs lie: the rows first_y, first_y + step, .. and columns first_x, .. of an array [n,h,w,pitch],
// or all of [n,d,h,w,pitch].
struct Target {
  float* data;
  int64_t pitch;
  int h, w, first_y = 0, first_x = 0, step = 1, d = 1;

  float* at(int n, int z, int y, int x) const {
    return data + (((int64_t{n} * d + z) * h + first_y + y * step) * w + first_x + x * step) * pitch;
  }
  int rows() const { return int(ceil_div(h - first_y, step)); }
  int columns() const { return int(ceil_div(w - first_x, step)); }
};

// out[n,i,j,:] = bias + sum_{r,s} in[n, i * step - pad_y + r, j * step - pad_x + s, :] w[r,s]: forward, or one residue
// of backward_data with the filter turned round.
struct WinogradGather {
  Tiling tiling;
  Source in;
  Target out;
  int columns;
  const float* bias;  // may be null

  // The filter w[k,t,r,s,c]: how many taps, then steps from output channel to output channel, from input channel to
  // input channel, the tap (0, 0, 0), from tap to tap.
  int taps_y, taps_x;
  int64_t w_column, w_reduce, w_first, w_row, w_tap;
  int taps_z = 1;
  int64_t w_plane = 0;
  bool volume = false;
  const float* limits = nullptr;  // the least and the greatest output, may be null

  int channels() const { return in.channels; }
  int reduce() const { return taps_z * in.phases() * in.channels; }  // tap by tap in depth, phase by phase
  int planes() const { return tiling.planes + taps_z - 1; }          // of a tile's patch
  int points() const { return tiling.points(); }
  // The first so many phases of a direction have something at a point: all, but at infinity only those with all taps.
  int phases_y(int point) const {
    return point + 1 < tiling.rows ? in.step : phases_with(tiling.taps_y(), taps_y, in.step);
  }
  int phases_x(int point) const {
    return point + 1 < tiling.columns ? in.step : phases_with(tiling.taps_x(), taps_x, in.step);
  }

  static constexpr int kWidth = kMaxVectors * kLanes;  // columns of a block
  int column_blocks() const { return int(ceil_div(columns, kWidth)); }
  int width(int block) const { return int(round_up(at_most(kWidth, columns - block * kWidth), kLanes)); }

  // Transformed patches and sums of one block of tiles stay in the second-level cache. A step that is a power of two
  // would send all points to the same sets of the first-level cache.
  int64_t patch_pitch() const {  // from output to output; what is written beyond the last phase lies within
    return volume ? channels() : round_up(reduce() - channels() + round_up(channels(), kLanes), kLanes);
  }
  int64_t tile_pitch() const { return planes() * patch_pitch(); }
  int64_t patch_step(int64_t tiles) const { return round_up(tiles * tile_pitch(), 16) + 16; }
  int64_t sum_step(int64_t tiles) const { return round_up(tiles * tiling.planes * width(0), 16) + 16; }
  int64_t filter_step(int block) const { return round_up(int64_t{reduce()} * width(block), 16) + 16; }
  int64_t filter_of(int block) const { return block * points() * filter_step(0); }  // all blocks before are as wide
  int64_t filter_size() const { return filter_of(column_blocks() - 1) + points() * filter_step(column_blocks() - 1); }
  int64_t scratch_of_block(int64_t tiles) const { return points() * (patch_step(tiles) + sum_step(tiles)); }
  bool reads_as(const WinogradGather& other) const { return in.pad_y == other.in.pad_y && in.pad_x == other.in.pad_x; }
};
// Gathers from one array over the same tiles, which differ in taps and in where they read and write: the residues of
// backward_data, or forward's single one.
struct WinogradPhases {
  const WinogradGather* of;
  int count;
  const WinogradGather& first() const { return of[0]; }  // it has the most outputs
  int parts() const { return count * first().column_blocks(); }
};

// How the work is cut: blocks of tiles, and where these are few, groups of a block's parts (a column block of a
// gather); all of it dealt out in at most kMaxChunks chunks, so that there are no more than so many scratch areas.
struct WinogradCut {
  static constexpr int kMaxChunks = 24;
  EvenTiles blocks;
  int groups, chunks;
  explicit WinogradCut(const WinogradPhases& phases)
      : blocks(int(phases.first().tiling.count()), tiles_of_block(phases.first())) {
    if (blocks.count % 2 == 1 && 1 < blocks.count && blocks.count < kMaxChunks)  // a pair of threads has as much to do
      blocks =
          EvenTiles(int(phases.first().tiling.count()), int(ceil_div(phases.first().tiling.count(), blocks.count + 1)));
    groups = int(at_least(1, at_most(phases.parts(), 8 / at_least(1, blocks.count))));
    chunks = int(at_most(kMaxChunks, int64_t{blocks.count} * groups));
  }
  // As many as the second-level cache holds beside the filters, in whole tiles of the micro-kernel; of signals, whose
  // patches are read back sooner, as many as measured best.
  static int tiles_of_block(const WinogradGather& g) {
    constexpr int kRows = max_rows(kMaxVectors);
    const int64_t fit =
        (g.tiling.planar() ? 120'000 : 16'000) / (g.points() * (g.tile_pitch() + g.tiling.planes * g.width(0)));
    if (g.volume) return int(at_least(1, fit));
    return int(at_least(28 / kRows, fit / kRows) * kRows);
  }
};

// u[column block][point][reduced channel][width]; here the pairs (column block, reduced channel) of [begin, end), u that
// of the first pair's block.
template <int kRows, int kColumns>
void transform_filters(const WinogradGather& g, const float* w, float* u, int64_t begin, int64_t end) {
  const Vf d;
  const hn::RebindToSigned<Vf> di;
  constexpr int kTapsY = kRows == 1 ? 1 : taps_of(kRows), kTapsX = taps_of(kColumns);
  const int step = g.in.step;
  const bool neighbours = g.w_column == 1;
  // Where output channels are not neighbours, a square of channels lies here tap by tap, [output channel][input
  // channel]: read one by one, filters of a power of two of values would push each other out of the cache.
  HWY_ALIGN float turned[kTapsY * kTapsX][kLanes * kLanes];
  const auto column = hn::Mul(hn::Iota(di, 0), hn::Set(di, kLanes));
  const int64_t first_filter = g.filter_of(int(begin / g.reduce()));
  int together = 0;
  for (int64_t i = begin; i < end; i += together) {
    const int block = int(i / g.reduce()), reduced = int(i % g.reduce()), width = g.width(block);
    const int phase = reduced / g.channels() % g.in.phases(), plane = reduced / g.channels() / g.in.phases(),
              c = reduced % g.channels(), first = block * WinogradGather::kWidth;
    together = int(at_most(at_most(kLanes, g.channels() - c), end - i));
    const int taps_y = taps_of_phase(g.taps_y, step, phase / step),
              taps_x = taps_of_phase(g.taps_x, step, phase % step);
    const int64_t point = g.filter_step(block);
    const float* from =
        w + g.w_first + plane * g.w_plane + phase / step * g.w_row + phase % step * g.w_tap + c * g.w_reduce;
    for (int v = 0; v < width; v += kLanes) {
      const int count = int(at_most(kLanes, g.columns - first - v));
      auto tap = [&](int r, int s) { return from + (first + v) * g.w_column + step * (r * g.w_row + s * g.w_tap); };
      if (!neighbours)
        for (int r = 0; r < taps_y; ++r)
          for (int s = 0; s < taps_x; ++s)
            for (int k = 0; k < kLanes; ++k)
              hn::Store(k < count ? load_first(tap(r, s) + k * g.w_column, together) : hn::Zero(d), d,
                        turned[r * kTapsX + s] + k * kLanes);
      for (int j = 0; j < together; ++j) {
        auto load = [&](int r, int s) HWY_ATTR {
          if (r >= taps_y || s >= taps_x) return hn::Zero(d);
          return neighbours ? load_first(tap(r, s) + j * g.w_reduce, count)
                            : hn::GatherIndex(d, turned[r * kTapsX + s] + j, column);
        };
        float* to = u + g.filter_of(block) - first_filter + (reduced + j) * width + v;
        Vec half[kRows][kTapsX];
        for (int s = 0; s < kTapsX; ++s) {
          if constexpr (kRows == 1) {
            half[0][s] = load(0, s);
          } else {
            Vec in[kTapsY], out[kRows];
            for (int r = 0; r < kTapsY; ++r) in[r] = load(r, s);
            filter_to_points(in, out);
            for (int p = 0; p < kRows; ++p) half[p][s] = out[p];
          }
        }
        for (int p = 0; p < kRows; ++p) {
          Vec out[kColumns];
          filter_to_points(half[p], out);
          for (int q = 0; q < kColumns; ++q) hn::StoreU(out[q], d, to + (p * kColumns + q) * point);
        }
      }
    }
  }
}

// sums[point][tile, plane][width(0)] of one column block = patches x u, its filters, a matrix product a point.
void multiply_points(const WinogradGather& g, int64_t tiles, int block, const float* patches, const float* u,
                     float* sums) {
  const int width = g.width(block), vectors = width / kLanes, channels = g.channels();
  // Neighbouring outputs, whose patches are as far from each other as their sums: all tiles of images, a tile's planes.
  const int64_t runs = g.volume ? tiles : 1;
  const int rows = g.volume ? g.tiling.planes : int(tiles);
  const bool slides = g.volume && has_slide(g.taps_z, 1);
  const EvenTiles cut(rows, slides ? max_slide_rows(vectors, g.taps_z) : max_rows(vectors));
  Tile t{};
  t.a_row = g.patch_pitch();
  t.c_row = g.width(0);
  t.columns = width;
  t.b = u;
  auto function = [&](int length) {
    return slides ? slide_function(g.taps_z, 1, length, vectors) : tile_function<Operands::strided>(length, vectors);
  };
  const TileFunction run[2] = {function(cut.size + (cut.longer > 0)), function(cut.size)};
  for (int p = 0; p < g.points(); ++p, t.b += g.filter_step(block)) {
    const int phases_y = g.phases_y(p / g.tiling.columns), phases_x = g.phases_x(p % g.tiling.columns);
    if (slides) {
      t.middle = {g.taps_z, channels, int64_t{channels} * width};
      t.inner = {channels, 1, width};
    } else if (phases_y * phases_x == g.in.phases()) {
      t.outer = t.middle = {};
      t.inner = {g.reduce(), 1, width};
    } else {  // maybe none: then the sums are 0
      t.outer = {phases_y, int64_t{g.in.step} * channels, int64_t{g.in.step} * channels * width};
      t.middle = {phases_x, channels, int64_t{channels} * width};
      t.inner = {channels, 1, width};
    }
    for (int64_t i = 0; i < runs; ++i) {
      t.a = patches + p * g.patch_step(tiles) + i * g.tile_pitch();
      t.c = sums + p * g.sum_step(tiles) + i * rows * t.c_row;
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
}

template <int kRows, int kColumns>
HWY_NOINLINE void write_tiles(const WinogradGather& g, TileRange range, int block, const float* sums) {
  constexpr int kH = kRows == 1 ? 1 : kOutputs;
  const int64_t step = g.sum_step(range.size()), column = g.out.step * g.out.pitch, row = g.out.w * column;
  const int first = block * WinogradGather::kWidth, last = int(at_most(g.columns, first + WinogradGather::kWidth));
  const int all_rows = g.out.rows(), all_columns = g.out.columns();
  const int64_t width = g.width(0), plane = g.out.h * g.out.w * g.out.pitch;
  for_each_tile(g.tiling, range, [&](int64_t tile, int n, int z, int y, int x) HWY_ATTR {
    const float* of_plane = sums + tile * g.tiling.planes * width;
    float* to = g.out.at(n, z, y, x);
    const int rows = int(at_most(kH, all_rows - y)), columns = int(at_most(kOutputs, all_columns - x));
    for (int planes = int(at_most(g.tiling.planes, g.out.d - z)); planes > 0;
         --planes, of_plane += width, to += plane) {
      const float* from = of_plane;
      for (int c = first; c < last; c += kLanes, from += kLanes) {
        const int count = int(at_most(kLanes, last - c));
        const Vec bias = g.bias ? load_first(g.bias + c, count) : hn::Zero(Vf());
        for (int i = 0; i < kH; ++i)
          for (int j = kAhead; j < kAhead + kOutputs; ++j) __builtin_prefetch(to + c + i * row + j * column, 1);
        if (rows == kH && columns == kOutputs && count == kLanes)
          write_tile<kRows, kColumns, true>(from, step, bias, g.limits, to + c, row, column, rows, columns, count);
        else write_tile<kRows, kColumns, false>(from, step, bias, g.limits, to + c, row, column, rows, columns, count);
      }
    }
  });
}

// Floats of all transformed filters.
int64_t winograd_filters(const WinogradPhases& phases) { return phases.count * phases.first().filter_size(); }
// Bytes beside the transformed filters.
size_t winograd_workspace(const WinogradPhases& phases) {
  const WinogradCut cut(phases);
  const int64_t tiles = cut.blocks.count ? cut.blocks.length(0) : 0;
  return size_t(cut.chunks * phases.first().scratch_of_block(tiles)) * sizeof(float);
}

template <int kRows, int kColumns>
void transform_phases(const WinogradPhases& phases, const float* w, float* u) {
  const WinogradGather& f = phases.first();
  const int64_t filters = int64_t{f.column_blocks()} * f.reduce();
  parallel_for(phases.count * filters, 64, [&](int64_t begin, int64_t end) {
    for (int i = int(begin / filters); i * filters < end; ++i) {
      const int64_t from = at_least(0, begin - i * filters);
      transform_filters<kRows, kColumns>(phases.of[i], w, u + i * f.filter_size() + f.filter_of(int(from / f.reduce())),
                                         from, at_most(filters, end - i * filters));
    }
  });
}
void transform_filters(const WinogradPhases& phases, const float* w, float* u) {
  const Tiling& tiling = phases.first().tiling;
  (!tiling.planar()   ? transform_phases<1, 6>
   : tiling.rows == 6 ? transform_phases<6, 6>
                      : transform_phases<5, 5>)(phases, w, u);
}

// The whole of them, by the transformed filters u; scratch as winograd_workspace says.
template <int kRows, int kColumns>
void winograd_gather(const WinogradPhases& phases, const float* u, float* areas) {
  const WinogradGather& f = phases.first();
  const WinogradCut cut(phases);
  if (cut.blocks.count == 0) return;
  const int64_t area = f.scratch_of_block(cut.blocks.length(0)), units = int64_t{cut.blocks.count} * cut.groups;
  const TransformPatches transform = transform_inputs(f.tiling, f.volume);
  parallel_for(cut.chunks, 1, [&](int64_t chunk, int64_t) {
    float* const patches = areas + worker() * area;
    int block_done = -1;                   // the block whose patches are there,
    const WinogradGather* done = nullptr;  // and as what they were read
    for (int64_t unit = units * chunk / cut.chunks, end = units * (chunk + 1) / cut.chunks; unit < end; ++unit) {
      const int block = int(unit / cut.groups), group = int(unit % cut.groups);
      const TileRange range{cut.blocks.begin(block), cut.blocks.begin(block) + cut.blocks.length(block)};
      float* const sums = patches + f.points() * f.patch_step(range.size());
      for (int part = phases.parts() * group / cut.groups; part < phases.parts() * (group + 1) / cut.groups; ++part) {
        const int i = part / f.column_blocks(), columns = part % f.column_blocks();
        const WinogradGather& g = phases.of[i];
        if (block != block_done || !g.reads_as(*done))
          transform(g.tiling, range, g.in, {0, g.volume ? g.planes() : g.in.phases(), 0, g.channels()},
                    {patches, g.patch_step(range.size()), g.tile_pitch(), g.channels()});
        block_done = block, done = &g;
        multiply_points(g, range.size(), columns, patches, u + i * f.filter_size() + f.filter_of(columns), sums);
        write_tiles<kRows, kColumns>(g, range, columns, sums);
      }
    }
  });
}

// Where few tiles do not repay a transform of the whole filter, which would lie beyond the caches: the patches of a block
// of tiles, as many as the third-level cache holds, are transformed once, by all; then each column block of each gather
// has its part of the filter transformed by the thread that uses it, at once.
struct WinogradStream {
  static constexpr int kMaxChunks = 16, kPatchFloats = 1 << 22;
  EvenTiles blocks;
  int chunks;
  int64_t patches, filters, area;  // floats: of a block of tiles; of a column block; with its sums, a thread's
  explicit WinogradStream(const WinogradPhases& phases)
      : blocks(int(phases.first().tiling.count()), tiles_of_block(phases.first())),
        chunks(int(at_most(kMaxChunks, phases.parts()))) {
    const WinogradGather& g = phases.first();
    const int64_t tiles = blocks.count ? blocks.length(0) : 0;
    patches = g.points() * g.patch_step(tiles), filters = g.points() * g.filter_step(0);
    area = filters + g.points() * g.sum_step(tiles);
  }
  static int tiles_of_block(const WinogradGather& g) {
    return int(at_least(64, kPatchFloats / (g.points() * g.tile_pitch())));
  }
  size_t workspace() const { return size_t(patches + chunks * area) * sizeof(float); }
};
// Of stride 2.
void stream_gather(const WinogradPhases& phases, const float* w, float* scratch) {
  const WinogradGather& f = phases.first();
  const WinogradStream cut(phases);
  const TransformPatches transform = transform_inputs(f.tiling, false);
  const int blocks = f.column_blocks();
  for (int b = 0; b < cut.blocks.count; ++b) {
    const TileRange range{cut.blocks.begin(b), cut.blocks.begin(b) + cut.blocks.length(b)};
    const int64_t tiles = range.size(), step = f.patch_step(tiles);
    const EvenTiles runs(int(tiles), 8);
    for (int first = 0, last; first < phases.count; first = last) {  // gathers that read the same patches
      for (last = first + 1; last < phases.count && phases.of[last].reads_as(phases.of[first]);) ++last;
      parallel_for(runs.count, 1, [&](int64_t run, int64_t) {
        const int begin = runs.begin(int(run));
        transform(f.tiling, {range.begin + begin, range.begin + begin + runs.length(int(run))}, phases.of[first].in,
                  {0, f.in.phases(), 0, f.channels()},
                  {scratch + begin * f.tile_pitch(), step, f.tile_pitch(), f.channels()});
      });
      const int parts = (last - first) * blocks, chunks = int(at_most(cut.chunks, parts));
      parallel_for(chunks, 1, [&](int64_t chunk, int64_t) {
        float* const u = scratch + cut.patches + worker() * cut.area;
        for (int part = int(parts * chunk / chunks); part < parts * (chunk + 1) / chunks; ++part) {
          const WinogradGather& g = phases.of[first + part / blocks];
          const int block = part % blocks;
          transform_filters<5, 5>(g, w, u, int64_t{block} * g.reduce(), int64_t{block + 1} * g.reduce());
          multiply_points(g, tiles, block, scratch, u, u + cut.filters);
          write_tiles<5, 5>(g, range, block, u + cut.filters);
        }
      });
    }
  }
}

void winograd_gather(const WinogradPhases& phases, const float* u, float* scratch) {
  const Tiling& tiling = phases.first().tiling;
  (!tiling.planar()   ? winograd_gather<1, 6>
   : tiling.rows == 6 ? winograd_gather<6, 6>
                      : winograd_gather<5, 5>)(phases, u, scratch);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
