// conv2d backward_weight and backward_bias: sums over all pixels. The pixels are cut into chunks that depend on the
// problem alone; each chunk sums into a partial result of its own, blocks of a few hundred pixels in registers at a
// time, and the partial results are added in order: the same bits for any number of threads. Where there are few chunks
// (few pixels, or a large filter) the filter is cut too, into slices that are summed beside each other; that changes no
// sum. Included by conv2d_simd.cpp, once per instruction set.
#if defined(KERN_CONV2D_WEIGHT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WEIGHT_INL_H
#undef KERN_CONV2D_WEIGHT_INL_H
#else
#define KERN_CONV2D_WEIGHT_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_gather-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

// One block of pixels: rows p and columns q of plane o of image or volume n.
struct PixelBlock {
  int n, o;
  Range p, q;
  int64_t row(const Conv2dSpec& g, int of) const { return (int64_t{n} * g.o() + o) * g.p() + of; }
};
// The rows of a filter, of all its planes one after the other.
struct FilterRows {
  Axis z, y;
  int count;
  explicit FilterRows(const Conv2dSpec& g)
      : z(forward_axis(g.d, g.o(), g.t, g.stride_d, g.dil_d, g.pad_front)),
        y(forward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top)),
        count(g.t * g.r) {}
  // The rows of a block's pixels for which row r lies inside.
  Range pixels(const PixelBlock& block, int r) const {
    return z.covers(r / y.taps, {block.o, block.o + 1}) ? overlap(block.p, y.outputs(r % y.taps)) : Range{};
  }
  // The row of x that it reads for the first of these.
  int64_t input(const PixelBlock& block, Range p, int r) const {
    return (int64_t{block.n} * z.in_size + z.input(block.o, r / y.taps)) * y.in_size + y.input(p.begin, r % y.taps);
  }
};

// Blocks of pixels: some rows of one plane, and a part of each row where rows are long. Chunks: runs of blocks.
struct PixelBlocks {
  EvenTiles parts, bands;
  int planes;
  int64_t blocks;
  int chunks;

  PixelBlocks(const Conv2dSpec& g, int64_t partial_size)
      : parts(g.q(), kPixels),
        bands(g.p(), int(at_least(1, kPixels / g.q()))),
        planes(g.o()),
        blocks(int64_t{g.n} * planes * parts.count * bands.count) {
    const int64_t few =
        at_least(4, (int64_t{1} << 22) / at_least(1, partial_size));  // at most 16 MB of partial results, or 4
    chunks = int(at_least(1, at_most(at_most(few, 32), at_most(blocks, g.y_rows() / 1024))));
  }
  PixelBlock block(int64_t k) const {
    const int64_t plane = k / parts.count / bands.count;
    return {int(plane / planes), int(plane % planes), range_of(bands, int(k / parts.count % bands.count)),
            range_of(parts, int(k % parts.count))};
  }
  static constexpr int kPixels = 256;
};

// Which side of the product lies in vectors, and how it is read.
struct WeightPlan {
  bool run;           // x[.., s * C + c] for all s and c of a filter row are neighbours, and C is small
  bool vectors_of_x;  // rows of a tile are output channels, columns are values of x; otherwise the other way round
  bool taps;          // rows of a tile are the taps of a filter row instead: there is one output channel
  bool pack;          // dy is read often enough to be copied into dense blocks first
  bool slide;         // three neighbouring taps share what they read, with zeros round dy in place of borders
  explicit WeightPlan(const Conv2dSpec& g)
      : run(g.dil_w == 1 && g.groups == 1 && g.x_pitch() == g.c && g.c < 16 && g.s > 1) {
    const int64_t values = run ? g.s * g.cg() : g.cg(), times = run ? 1 : g.s;
    vectors_of_x = times * ceil_div(values, kLanes) * g.kg() < times * values * ceil_div(g.kg(), kLanes);
    taps = vectors_of_x && !run && g.k == 1 && g.dy_pitch() == 1 && g.stride_w == 1 && g.dil_w == 1 && g.s > 1 &&
           g.s <= max_rows(kMaxVectors);
    pack = !vectors_of_x && g.t * g.r * g.s * g.cg() >= 128;
    slide = !run && !vectors_of_x && g.s == 3 && g.stride_w == 1 && g.dil_w == 1 && g.cg() >= 4 && g.q() >= 8 &&
            (g.t * g.r * g.cg() >= 48 || g.kg() <= 128);  // else copying dy is not worth its while
  }
};

// The filter in slices: filter rows where x lies in vectors, else blocks of output channels of a group.
struct FilterSlices {
  static constexpr int kWidth = kMaxVectors * kLanes,
                       kTasks = 32;  // channels of a block; chunks x slices, if there are so many
  bool rows;
  int per_group;  // blocks of output channels
  int count;      // filter rows, or blocks
  int slices;
  FilterSlices(const Conv2dSpec& g, const WeightPlan& plan, int chunks)
      : rows(plan.vectors_of_x),
        per_group(rows ? 1 : int(ceil_div(g.kg(), kWidth))),
        count(rows ? g.t * g.r : g.groups * per_group),
        slices(int(at_most(count, ceil_div(kTasks, chunks)))) {}
  // The filter rows, or blocks, of a slice.
  Range of(int slice) const {
    return {int(int64_t{count} * slice / slices), int(int64_t{count} * (slice + 1) / slices)};
  }
};

// The sums over one block with plan.slide, added to partial[t][r][s][c][k] per group; of a slice's blocks of channels.
void add_block_by_slide(const Conv2dSpec& g, const FilterSlices& slices, Range slice, const float* dy, const float* x,
                        const PixelBlock& block, float* partial) {
  const int kg = g.kg(), cg = g.cg();
  const FilterRows rows(g);
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), b_row = (block.q.size() + 4) * kLanes;
  // Two vectors of dy's channels, one behind the other, each row with two zeros before and behind it: at most an eighth
  // of the pixels are rows.
  constexpr int kSize = (PixelBlocks::kPixels + PixelBlocks::kPixels / 8 * 4) * kLanes;
  HWY_ALIGN float packed[2 * kSize];
  const Range columns{int(at_least(0, block.q.begin - g.pad_left)), int(at_most(g.w, block.q.end + 2 - g.pad_left))};
  if (columns.size() == 0) return;
  const EvenTiles tiles(cg, kMaxSlideSums);
  static_assert(FilterSlices::kWidth == 2 * kLanes);
  for (int part = slice.begin; part < slice.end; ++part) {
    const int group = part / slices.per_group, both = part % slices.per_group * FilterSlices::kWidth;
    const Vf d;
    const int left = int(at_most(2 * kLanes, kg - both)), vectors = int(ceil_div(left, kLanes)),
              last = left - (vectors - 1) * kLanes;  // channels of the last vector
    float* to = packed;
    for (int p = block.p.begin; p < block.p.end; ++p, to += b_row) {
      const float* from = dy + (block.row(g, p) * g.q() + block.q.begin) * dyp + group * kg + both;
      for (int v = 0; v < vectors; ++v)
        for (int i = 0; i < 4; ++i)
          hn::Store(hn::Zero(d), d, to + v * kSize + (i < 2 ? i : block.q.size() + i) * kLanes);
      float* pixel = to + 2 * kLanes;
      for (int i = 0; i < block.q.size(); ++i, pixel += kLanes, from += dyp) {
        if (vectors == 2) hn::Store(hn::LoadU(d, from), d, pixel);
        hn::Store(load_first(from + (vectors - 1) * kLanes, last), d, pixel + (vectors - 1) * kSize);
      }
    }
    for (int j = both; j < at_most(kg, both + 2 * kLanes); j += kLanes)
      for (int r = 0; r < rows.count; ++r) {
        const Range p = rows.pixels(block, r);
        if (p.size() == 0) continue;
        const float* from_x = x + (rows.input(block, p, r) * g.w + columns.begin) * xp + group * cg;
        Tile t{};
        t.b = packed + (j - both) / kLanes * kSize + (p.begin - block.p.begin) * b_row +
              (columns.begin + g.pad_left - block.q.begin + 2) * int64_t{kLanes};
        t.outer = {p.size(), int64_t{g.stride_h} * g.w * xp, b_row};
        t.middle = {3, int64_t{cg} * kg, -kLanes};
        t.inner = {columns.size(), xp, kLanes};
        t.c_row = kg;
        t.columns = int(at_most(kLanes, kg - j));
        for (int k = 0; k < tiles.count; ++k) {
          t.a = from_x + tiles.begin(k);
          t.c = partial + ((int64_t{group} * rows.count + r) * 3 * cg + tiles.begin(k)) * kg + j;
          slide_sums_function(tiles.length(k))(t);
        }
      }
  }
}

// partial += the sums over one block, of one slice. partial: dw[k][t][r][s][c] if vectors of x, else per group
// [t][r][s][c][k].
void add_block(const Conv2dSpec& g, const WeightPlan& plan, const FilterSlices& slices, Range slice, const float* dy,
               const float* x, const PixelBlock& block, float* partial) {
  const int kg = g.kg(), cg = g.cg();
  const FilterRows rows(g);
  const Axis ax = forward_axis(g.w, g.q(), g.s, g.stride_w, g.dil_w, g.pad_left);
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch(), filter = int64_t{rows.count} * g.s * cg;
  dy += (block.row(g, block.p.begin) * g.q() + block.q.begin) * dyp;  // the block's first pixel
  Range inside = block.q;                                             // pixels whose whole filter row is inside
  for (int s = 0; s < g.s; ++s) inside = overlap(inside, ax.outputs(s));

  // A column block of dy lies here, dense: it is read once per filter value, and a power of two for a pitch is poison
  // for caches.
  constexpr int kWidth = FilterSlices::kWidth;
  HWY_ALIGN float packed[PixelBlocks::kPixels * kWidth];

  // The pixels p x q for filter row r and `values` values of x from filter column s on, output channels [j, j + count).
  auto add = [&](int group, int j, int count, int r, int s, int values, Range p, Range q) {
    if (p.size() == 0 || q.size() == 0) return;
    const float* from_x = x + (rows.input(block, p, r) * g.w + ax.input(q.begin, s)) * xp + group * cg;
    const int64_t pixel_row = p.begin - block.p.begin, pixel = q.begin - block.q.begin;
    const int64_t x_row = int64_t{g.stride_h} * g.w * xp, x_column = g.stride_w * xp, dy_row = g.q() * dyp;
    const int64_t value = (int64_t{r} * g.s + s) * cg;
    Tile t{};
    t.middle = {};
    t.add = true;
    if (plan.vectors_of_x) {
      t.outer = {p.size(), dy_row, x_row};
      t.inner = {q.size(), dyp, x_column};
      t.c_row = filter;
      const float* from_dy = dy + pixel_row * dy_row + pixel * dyp + group * kg;
      for (int first = 0; first < values; first += kWidth) {
        t.columns = int(at_most(values - first, kWidth));
        const int vectors = int(ceil_div(t.columns, kLanes));
        const EvenTiles tiles(count, max_rows(vectors));
        for (int k = 0; k < tiles.count; ++k) {
          t.a = from_dy + j + tiles.begin(k);
          t.b = from_x + first;
          t.c = partial + (int64_t{group} * kg + j + tiles.begin(k)) * filter + value + first;
          tile_function<Operands::unit_unpadded>(tiles.length(k), vectors)(t);
        }
      }
    } else {
      const int64_t width = plan.pack ? kWidth : dyp, b_row = plan.pack ? block.q.size() * width : dy_row;
      t.outer = {p.size(), x_row, b_row};
      t.inner = {q.size(), x_column, width};
      t.b = (plan.pack ? packed : dy + group * kg + j) + pixel_row * b_row + pixel * width;
      t.c_row = kg;
      t.columns = count;
      const int vectors = int(ceil_div(count, kLanes));
      const EvenTiles tiles(values, max_rows(vectors));
      for (int k = 0; k < tiles.count; ++k) {
        t.a = from_x + tiles.begin(k);
        t.c = partial + (group * filter + value + tiles.begin(k)) * kg + j;
        (plan.pack ? tile_function<Operands::unit>(tiles.length(k), vectors)
                   : tile_function<Operands::unit_unpadded>(tiles.length(k), vectors))(t);
      }
    }
  };
  // With plan.taps: the pixels of rows p, filter row r. Tap s of the value at column u of x meets dy at u + pad - s.
  auto add_taps = [&](int r, Range p) {
    if (p.size() == 0) return;
    const Range u = overlap({block.q.begin - g.pad_left + g.s - 1, block.q.end - g.pad_left}, {0, g.w});
    for (int s = 0; s < g.s; ++s) {  // those that not all taps meet
      const Range q = overlap(block.q, ax.outputs(s));
      if (u.size() == 0) {
        add(0, 0, 1, r, s, cg, p, q);
      } else {
        add(0, 0, 1, r, s, cg, p, {q.begin, u.begin + g.pad_left - s});
        add(0, 0, 1, r, s, cg, p, {u.end + g.pad_left - s, q.end});
      }
    }
    if (u.size() == 0) return;
    Tile t{};
    t.outer = {p.size(), g.q(), int64_t{g.stride_h} * g.w * xp};
    t.middle = {};
    t.inner = {u.size(), 1, xp};
    t.a = dy + int64_t{p.begin - block.p.begin} * g.q() + u.begin + g.pad_left - (g.s - 1) - block.q.begin;
    t.c_row = -cg;  // the first row is the last tap
    t.add = true;
    for (int first = 0; first < cg; first += kWidth) {
      t.columns = int(at_most(cg - first, kWidth));
      t.b = x + (rows.input(block, p, r) * g.w + u.begin) * xp + first;
      t.c = partial + (int64_t{r} * g.s + g.s - 1) * cg + first;
      tile_function<Operands::unit_unpadded>(g.s, int(ceil_div(t.columns, kLanes)))(t);
    }
  };
  const int step = plan.vectors_of_x ? kg : kWidth;
  const Range parts = slices.rows ? Range{0, g.groups} : slice,
              filter_rows = slices.rows ? slice : Range{0, rows.count};
  for (int part = parts.begin; part < parts.end; ++part) {
    const int group = part / slices.per_group, j = part % slices.per_group * step;
    const int count = int(at_most(kg - j, step));
    if (plan.pack) {
      float* to = packed;
      for (int p = 0; p < block.p.size(); ++p)
        for (int q = 0; q < block.q.size(); ++q, to += kWidth)
          for (int v = 0; v < count; v += kLanes)
            hn::Store(
                load_first(dy + (int64_t{p} * g.q() + q) * dyp + group * kg + j + v, int(at_most(kLanes, count - v))),
                Vf(), to + v);
    }
    for (int r = filter_rows.begin; r < filter_rows.end; ++r) {
      const Range p = rows.pixels(block, r);
      if (plan.taps) {
        add_taps(r, p);
      } else if (plan.run && inside.size() > 0) {
        add(group, j, count, r, 0, g.s * cg, p, inside);
        for (int s = 0; s < g.s; ++s) {  // and the borders
          const Range q = overlap(block.q, ax.outputs(s));
          add(group, j, count, r, s, cg, p, {q.begin, inside.begin});
          add(group, j, count, r, s, cg, p, {inside.end, q.end});
        }
      } else {
        for (int s = 0; s < g.s; ++s) add(group, j, count, r, s, cg, p, overlap(block.q, ax.outputs(s)));
      }
    }
  }
}

size_t weight_workspace(const Conv2dSpec& g) {
  return size_t(PixelBlocks(g, g.w_size()).chunks * g.w_size()) * sizeof(float);
}

void weight_gradient(const Conv2dSpec& g, const float* dy, const float* x, float* dw, float* scratch) {
  const int64_t size = g.w_size();
  const PixelBlocks cut(g, size);
  const WeightPlan plan(g);
  const FilterSlices slices(g, plan, cut.chunks);
  const int64_t filter = int64_t{g.t} * g.r * g.s * g.cg(), filter_row = int64_t{g.s} * g.cg();
  parallel_for(int64_t{cut.chunks} * slices.slices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task / slices.slices;
      const Range slice = slices.of(int(task % slices.slices));
      float* partial = scratch + chunk * size;
      if (slices.rows) {
        for (int64_t k = 0; k < g.k; ++k)
          for (int64_t i = slice.begin * filter_row; i < slice.end * filter_row; ++i) partial[k * filter + i] = 0;
      } else {
        for (int part = slice.begin; part < slice.end; ++part) {
          const int64_t group = part / slices.per_group, first = part % slices.per_group * FilterSlices::kWidth,
                        last = at_most(g.kg(), first + FilterSlices::kWidth);
          float* to = partial + group * filter * g.kg();
          for (int64_t i = 0; i < filter; ++i, to += g.kg())
            for (int64_t k = first; k < last; ++k) to[k] = 0;
        }
      }
      for (int64_t k = cut.blocks * chunk / cut.chunks; k < cut.blocks * (chunk + 1) / cut.chunks; ++k)
        if (plan.slide) add_block_by_slide(g, slices, slice, dy, x, cut.block(k), partial);
        else add_block(g, plan, slices, slice, dy, x, cut.block(k), partial);
    }
  });
  // Sums over the chunks, in their order, and the turn from [t][r][s][c][k] to [k][t][r][s][c].
  parallel_for(size, 16384, [&](int64_t begin, int64_t end) {
    const Vf d;
    for (int64_t i = begin; i < end; i += kLanes) {
      const int count = int(at_most(kLanes, end - i));
      auto sum = hn::Zero(d);
      for (int chunk = 0; chunk < cut.chunks; ++chunk)
        sum = hn::Add(sum, load_first(scratch + chunk * size + i, count));
      store_first(sum, (plan.vectors_of_x ? dw : scratch) + i, count);
    }
  });
  if (plan.vectors_of_x) return;
  // A line of values of kTurned output channels is read once, and each of these is written kRun values at a time.
  constexpr int kTurned = 16, kRun = 64;
  const int per_group = int(ceil_div(g.kg(), kTurned));
  parallel_for(int64_t{g.groups} * per_group, at_least(1, 16384 / (filter * kTurned)), [&](int64_t begin, int64_t end) {
    float turned[kTurned][kRun];
    for (int64_t part = begin; part < end; ++part) {
      const int64_t group = part / per_group, first = part % per_group * kTurned;
      const int count = int(at_most(kTurned, g.kg() - first));
      const float* const from = scratch + group * filter * g.kg() + first;
      float* const to = dw + (group * g.kg() + first) * filter;
      for (int64_t i = 0; i < filter; i += kRun) {
        const int run = int(at_most(kRun, filter - i));
        for (int j = 0; j < run; ++j)
          for (int k = 0; k < count; ++k) turned[k][j] = from[(i + j) * g.kg() + k];
        for (int k = 0; k < count; ++k) std::copy_n(turned[k], run, to + k * filter + i);
      }
    }
  });
}

constexpr int kBiasRows = 4096;  // of dy, a chunk

// Rows of few values that lie dense are taken kLanes at a time: as one row of whole vectors.
int bias_rows_together(const Conv2dSpec& g) { return g.k < kLanes && g.dy_pitch() == g.k ? kLanes : 1; }
size_t bias_workspace(const Conv2dSpec& g) {
  return size_t(ceil_div(g.y_rows(), kBiasRows) * g.k * bias_rows_together(g)) * sizeof(double);
}

// Column sums of dy: of 64 rows in float, of those in double.
void bias_gradient(const Conv2dSpec& g, const float* dy, float* db, double* scratch) {
  const int64_t rows = g.y_rows(), together = bias_rows_together(g), columns = g.k * together,
                pitch = together > 1 ? columns : g.dy_pitch(), chunks = ceil_div(rows, kBiasRows);
  parallel_for(rows, kBiasRows, [&](int64_t begin, int64_t end) {
    double* sums = scratch + begin / kBiasRows * columns;
    const Vf d;
    for (int64_t j = 0; j < columns; ++j) sums[j] = 0;
    for (int64_t i = begin / together; i < end / together; i += 64)
      for (int64_t j = 0; j < columns; j += kLanes) {
        const int64_t last = at_most(end / together, i + 64);
        const int count = int(at_most(kLanes, columns - j));
        hn::Vec<Vf> part[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
        const float* from = dy + i * pitch + j;
        int64_t row = i;
        for (; row + 4 <= last; row += 4, from += 4 * pitch)
          for (int u = 0; u < 4; ++u) part[u] = hn::Add(part[u], load_first(from + u * pitch, count));
        for (; row < last; ++row, from += pitch) part[0] = hn::Add(part[0], load_first(from, count));
        HWY_ALIGN float sum[kLanes];
        hn::Store(hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3])), d, sum);
        for (int l = 0; l < count; ++l) sums[j + l] += double(sum[l]);
      }
    for (int64_t i = end / together * together * g.k; i < end * g.k && together > 1; ++i)  // fewer rows than are taken
      sums[i % g.k] += double(dy[i]);
  });
  for (int k = 0; k < g.k; ++k) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      for (int64_t j = k; j < columns; j += g.k) sum += scratch[chunk * columns + j];
    db[k] = float(sum);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
