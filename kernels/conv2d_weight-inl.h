// conv2d backward_weight and backward_bias: sums over all pixels. The pixels are cut into chunks that depend on the problem
// alone; each chunk sums into a partial result of its own, blocks of a few hundred pixels in registers at a time, and the
// partial results are added in order: the same bits for any number of threads. Included by conv2d_simd.cpp, once per
// instruction set.
#if defined(KERN_CONV2D_WEIGHT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WEIGHT_INL_H
#undef KERN_CONV2D_WEIGHT_INL_H
#else
#define KERN_CONV2D_WEIGHT_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_gather-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

// Blocks of pixels: some rows of one image, and a part of each row where rows are long. Chunks: runs of blocks.
struct PixelBlocks {
  EvenTiles parts, bands;
  int64_t blocks;
  int chunks;

  PixelBlocks(const Conv2dSpec& g, int64_t partial_size)
      : parts(g.q(), kPixels), bands(g.p(), int(at_least(1, kPixels / g.q()))), blocks(int64_t{g.n} * parts.count * bands.count) {
    const int64_t few = at_least(4, (int64_t{1} << 22) / at_least(1, partial_size));  // at most 16 MB of partial results, or 4
    chunks = int(at_least(1, at_most(at_most(few, 32), at_most(blocks, g.y_rows() / 1024))));
  }
  static constexpr int kPixels = 256;
};

// Which side of the product lies in vectors, and whether a filter row's columns and channels are one run of x.
struct WeightPlan {
  bool run;           // x[.., s * C + c] for all s and c of a filter row are neighbours, and C is small
  bool vectors_of_x;  // rows of a tile are output channels, columns are values of x; otherwise the other way round
  explicit WeightPlan(const Conv2dSpec& g) : run(g.dil_w == 1 && g.groups == 1 && g.x_pitch() == g.c && g.c < 16 && g.s > 1) {
    const int64_t values = run ? g.s * g.cg() : g.cg(), times = run ? 1 : g.s;
    vectors_of_x = times * ceil_div(values, kLanes) * g.kg() < times * values * ceil_div(g.kg(), kLanes);
  }
};

// partial += the sums over one block of pixels. partial: dw[k][r][s][c] if vectors of x, else per group [r][s][c][k].
void add_block(const Conv2dSpec& g, const WeightPlan& plan, const float* dy, const float* x, int n, Range rows, Range columns, float* partial) {
  const int kg = g.kg(), cg = g.cg();
  const Axis ay = forward_axis(g.h, g.p(), g.r, g.stride_h, g.dil_h, g.pad_top), ax = forward_axis(g.w, g.q(), g.s, g.stride_w, g.dil_w, g.pad_left);
  const int64_t xp = g.x_pitch(), dyp = g.dy_pitch();
  Range inside = columns;  // pixels whose whole filter row is inside
  for (int s = 0; s < g.s; ++s) inside = overlap(inside, ax.outputs(s));

  // The pixels p x q for filter row r and `values` values of x from filter column s on.
  auto add = [&](int group, int r, int s, int values, Range p, Range q) {
    if (p.size() == 0 || q.size() == 0) return;
    const float* from_x = x + ((int64_t{n} * g.h + ay.input(p.begin, r)) * g.w + ax.input(q.begin, s)) * xp + group * cg;
    const float* from_dy = dy + ((int64_t{n} * g.p() + p.begin) * g.q() + q.begin) * dyp + group * kg;
    Loop over_rows{p.size(), g.stride_h * g.w * xp, g.q() * dyp}, over_columns{q.size(), g.stride_w * xp, dyp};
    if (plan.vectors_of_x) {
      over_rows = {over_rows.n, over_rows.b, over_rows.a};
      over_columns = {over_columns.n, over_columns.b, over_columns.a};
    }
    const int64_t tap = int64_t{r} * g.s + s, filter = int64_t{g.r} * g.s * cg;
    const int tile_rows = plan.vectors_of_x ? kg : values, tile_columns = plan.vectors_of_x ? values : kg;
    for (int j = 0; j < tile_columns; j += kMaxVectors * kLanes) {
      const int count = int(at_most(tile_columns - j, kMaxVectors * kLanes)), vectors = int(ceil_div(count, kLanes));
      const EvenTiles tiles(tile_rows, max_rows(vectors));
      for (int k = 0; k < tiles.count; ++k) {
        const int i = tiles.begin(k);
        Tile t{};
        t.outer = over_rows;
        t.middle = {};
        t.inner = over_columns;
        t.columns = count;
        t.add = true;
        if (plan.vectors_of_x) {
          t.a = from_dy + i;
          t.b = from_x + j;
          t.c = partial + (group * int64_t{kg} + i) * filter + tap * cg + j;
          t.c_row = filter;
        } else {
          t.a = from_x + i;
          t.b = from_dy + j;
          t.c = partial + (group * filter + tap * cg + i) * kg + j;
          t.c_row = kg;
        }
        tile_function<true>(tiles.length(k), vectors)(t);
      }
    }
  };
  for (int group = 0; group < g.groups; ++group)
    for (int r = 0; r < g.r; ++r) {
      const Range p = overlap(rows, ay.outputs(r));
      if (plan.run && inside.size() > 0) {
        add(group, r, 0, g.s * cg, p, inside);
        for (int s = 0; s < g.s; ++s) {  // and the borders
          const Range q = overlap(columns, ax.outputs(s));
          add(group, r, s, cg, p, {q.begin, inside.begin});
          add(group, r, s, cg, p, {inside.end, q.end});
        }
      } else {
        for (int s = 0; s < g.s; ++s) add(group, r, s, cg, p, overlap(columns, ax.outputs(s)));
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
  parallel_for(cut.chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* partial = scratch + chunk * size;
      for (int64_t i = 0; i < size; ++i) partial[i] = 0;
      for (int64_t k = cut.blocks * chunk / cut.chunks; k < cut.blocks * (chunk + 1) / cut.chunks; ++k) {
        const int part = int(k % cut.parts.count), band = int(k / cut.parts.count % cut.bands.count), n = int(k / cut.parts.count / cut.bands.count);
        add_block(g, plan, dy, x, n, {cut.bands.begin(band), cut.bands.begin(band) + cut.bands.length(band)},
                  {cut.parts.begin(part), cut.parts.begin(part) + cut.parts.length(part)}, partial);
      }
    }
  });
  // Sums over the chunks, in their order, and the turn from [r][s][c][k] to [k][r][s][c].
  const int64_t filter = int64_t{g.r} * g.s * g.cg();
  parallel_for(size, 16384, [&](int64_t begin, int64_t end) {
    const Vf d;
    for (int64_t i = begin; i < end; i += kLanes) {
      const int count = int(at_most(kLanes, end - i));
      auto sum = hn::Zero(d);
      for (int chunk = 0; chunk < cut.chunks; ++chunk) sum = hn::Add(sum, load_first(scratch + chunk * size + i, count));
      store_first(sum, (plan.vectors_of_x ? dw : scratch) + i, count);
    }
  });
  if (plan.vectors_of_x) return;
  parallel_for(g.k, at_least(1, 16384 / filter), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const float* from = scratch + k / g.kg() * filter * g.kg() + k % g.kg();
      for (int64_t i = 0; i < filter; ++i) dw[k * filter + i] = from[i * g.kg()];
    }
  });
}

constexpr int kBiasRows = 4096;  // of dy, a chunk

size_t bias_workspace(const Conv2dSpec& g) { return size_t(ceil_div(g.y_rows(), kBiasRows) * g.k) * sizeof(double); }

// Column sums of dy: of 64 rows in float, of those in double.
void bias_gradient(const Conv2dSpec& g, const float* dy, float* db, double* scratch) {
  const int64_t rows = g.y_rows(), pitch = g.dy_pitch(), chunks = ceil_div(rows, kBiasRows);
  parallel_for(rows, kBiasRows, [&](int64_t begin, int64_t end) {
    double* sums = scratch + begin / kBiasRows * g.k;
    const Vf d;
    for (int j = 0; j < g.k; ++j) sums[j] = 0;
    for (int64_t i = begin; i < end; i += 64)
      for (int j = 0; j < g.k; j += kLanes) {
        const int64_t last = at_most(end, i + 64);
        const int count = int(at_most(kLanes, g.k - j));
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
  });
  for (int j = 0; j < g.k; ++j) {
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += scratch[chunk * g.k + j];
    db[j] = float(sum);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
