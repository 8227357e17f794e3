// Winograd's backward_weight, the adjoint of conv2d_winograd-inl.h in the filter:
//   dw = G^T [ sum over tiles (A dy A^T) . (B^T x B) ] G
// The channels are cut into squares whose 36 sums stay in the second-level cache, the tiles into parts; each (square,
// part) has a partial dw of its own, and these are added in order: the same bits for any number of threads. Included by
// conv2d_winograd.cpp, once per instruction set.
#if defined(KERN_CONV2D_WINOGRAD_WEIGHT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#undef KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#else
#define KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_winograd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

struct WinogradWeight {
  Tiling tiling;
  Source dy, x;

  static constexpr int kSquare = 64, kMaxTasks = 16;
  int points() const { return tiling.points(); }
  int taps() const { return tiling.planar ? 9 : 3; }
  int64_t size() const { return int64_t{dy.channels} * taps() * x.channels; }

  // Squares: rows are output channels, columns input channels.
  EvenTiles row_cut() const { return EvenTiles(dy.channels, kSquare); }
  int columns() const { return int(round_up(ceil_div(x.channels, ceil_div(x.channels, kSquare)), kLanes)); }
  int column_cuts() const { return int(ceil_div(x.channels, columns())); }
  int squares() const { return row_cut().count * column_cuts(); }

  int64_t row_pitch() const { return round_up(row_cut().length(0), kLanes); }
  int tiles_of_block() const {
    return int(at_least(16, at_most(130'000 / (points() * (row_pitch() + columns())), tiling.count())));
  }
  int64_t blocks() const { return ceil_div(tiling.count(), tiles_of_block()); }
  int parts() const {  // a part pays for the transform of its sums
    const int64_t most = tiling.count() / (tiling.planar ? 96 : 576);
    return int(at_least(1, at_most(at_most(blocks(), most), kMaxTasks / squares())));
  }

  // One task's transformed patches of a block of tiles, and its sums.
  int64_t dy_step() const { return round_up(tiles_of_block() * row_pitch(), 16) + 16; }
  int64_t x_step() const { return round_up(int64_t{tiles_of_block()} * columns(), 16) + 16; }
  int64_t sum_step() const { return round_up(int64_t{row_cut().length(0)} * columns(), 16) + 16; }
  int64_t area() const { return points() * (dy_step() + x_step() + sum_step()); }
};

// sums (+)= of one block of tiles, a matrix product a point: rows of dy's patches x columns of x's.
void add_points(const WinogradWeight& g, int64_t tiles, int rows, int columns, const float* dy, const float* x,
                float* sums, bool add) {
  Tile t{};
  t.outer = t.middle = {};
  t.inner = {tiles, g.row_pitch(), g.columns()};
  t.c_row = g.columns();
  t.add = add;
  for (int p = 0; p < g.points(); ++p)
    for (int first = 0; first < columns; first += kMaxVectors * kLanes) {
      t.columns = int(round_up(at_most(columns - first, kMaxVectors * kLanes), kLanes));
      const int vectors = t.columns / kLanes;
      const EvenTiles cut(rows, max_rows(vectors));
      t.a = dy + p * g.dy_step();
      t.b = x + p * g.x_step() + first;
      t.c = sums + p * g.sum_step() + first;
      t.repeat = cut.longer;
      if (cut.longer > 0) tile_function<Operands::unit>(cut.size + 1, vectors)(t);
      t.a += cut.begin(cut.longer);
      t.c += cut.begin(cut.longer) * t.c_row;
      t.repeat = cut.count - cut.longer;
      tile_function<Operands::unit>(cut.size, vectors)(t);
    }
}

// dw[row][tap][column] of one square.
void write_filters(const WinogradWeight& g, int rows, int columns, const float* sums, float* dw) {
  const Vf d;
  const int taps_y = g.tiling.planar ? 3 : 1;
  for (int k = 0; k < rows; ++k)
    for (int c = 0; c < columns; c += kLanes) {
      const float* from = sums + int64_t{k} * g.columns() + c;
      Vec half[3][kPoints];
      for (int q = 0; q < kPoints; ++q) {
        if (taps_y == 1) {
          half[0][q] = hn::LoadU(d, from + q * g.sum_step());
        } else {
          Vec in[kPoints], out[3];
          for (int p = 0; p < kPoints; ++p) in[p] = hn::LoadU(d, from + (p * kPoints + q) * g.sum_step());
          filter_from_points(in, out);
          for (int r = 0; r < 3; ++r) half[r][q] = out[r];
        }
      }
      for (int r = 0; r < taps_y; ++r) {
        Vec out[3];
        filter_from_points(half[r], out);
        for (int s = 0; s < 3; ++s)
          store_first(out[s], dw + (int64_t{k} * g.taps() + r * 3 + s) * g.x.channels + c,
                      int(at_most(kLanes, columns - c)));
      }
    }
}

size_t winograd_workspace(const WinogradWeight& g) {
  const int64_t tasks = int64_t{g.squares()} * g.parts();
  return size_t(round_up(g.parts() * g.size(), 16) + at_most(tasks, WinogradWeight::kMaxTasks) * g.area()) *
         sizeof(float);
}

void winograd_weight_gradient(const WinogradWeight& g, float* dw, float* scratch) {
  const int64_t size = g.size(), tiles = g.tiling.count();
  const int parts = g.parts(), squares = g.squares();
  const EvenTiles row_cut = g.row_cut();
  float* const areas = scratch + round_up(parts * size, 16);
  const int64_t tasks = int64_t{squares} * parts, chunks = at_most(tasks, WinogradWeight::kMaxTasks);
  auto run = [&](int64_t task) {
    const int part = int(task / squares), square = int(task % squares);
    const int i = square / g.column_cuts(), first_c = square % g.column_cuts() * g.columns();
    const int first_k = row_cut.begin(i), rows = row_cut.length(i),
              columns = int(at_most(g.columns(), g.x.channels - first_c));
    float* const dy = areas + worker() * g.area();
    float* const x = dy + g.points() * g.dy_step();
    float* const sums = x + g.points() * g.x_step();
    const TileRange all{tiles * part / parts, tiles * (part + 1) / parts};
    const EvenTiles cut(int(all.size()), g.tiles_of_block());
    if (cut.count == 0)
      for (int64_t j = 0; j < g.points() * g.sum_step(); ++j) sums[j] = 0;
    for (int b = 0; b < cut.count; ++b) {
      const TileRange range{all.begin + cut.begin(b), all.begin + cut.begin(b) + cut.length(b)};
      (g.tiling.planar
           ? transform_patches<kOutputs, kOutputs>
           : transform_patches<1, kOutputs>)(g.tiling, range, g.dy, first_k, rows, dy, g.dy_step(), g.row_pitch());
      (g.tiling.planar ? transform_patches<kPoints, kPoints> : transform_patches<1, kPoints>)(g.tiling, range, g.x,
                                                                                              first_c, columns, x,
                                                                                              g.x_step(), g.columns());
      add_points(g, range.size(), rows, columns, dy, x, sums, b > 0);
    }
    write_filters(g, rows, columns, sums, scratch + part * size + int64_t{first_k} * g.taps() * g.x.channels + first_c);
  };
  parallel_for(chunks, 1, [&](int64_t chunk, int64_t) {
    for (int64_t task = tasks * chunk / chunks; task < tasks * (chunk + 1) / chunks; ++task) run(task);
  });
  parallel_for(size, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int count = int(at_most(kLanes, end - i));
      Vec sum = hn::Zero(Vf());
      for (int part = 0; part < parts; ++part) sum = hn::Add(sum, load_first(scratch + part * size + i, count));
      store_first(sum, dw + i, count);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
