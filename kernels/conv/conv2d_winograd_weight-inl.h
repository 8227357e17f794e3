// Winograd's backward_weight, the adjoint of conv2d_winograd-inl.h in the filter:
//   dw = G^T [ sum over tiles (A dy A^T) . (B^T x B) ] G
// The channels are cut into squares whose 36 sums stay in the second-level cache, the tiles into parts; each (square,
// part) has a partial dw of its own, and these are added in order. Where an image has many squares, the patches of a
// block of tiles are transformed once for all of them instead, and each block adds to dw. Both are cut by the problem
// alone: the same bits for any number of threads. A filter of stride 2 has columns of its own for every phase of x (of a
// 3x3 filter those with one tap in a direction have nothing at infinity), one of a volume for every tap in depth: what
// output plane z meets of x are the points of the planes from z on, one run of values. Included by conv2d_winograd.cpp,
// once per instruction set.
#if defined(KERN_CONV2D_WINOGRAD_WEIGHT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#undef KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#else
#define KERN_CONV2D_WINOGRAD_WEIGHT_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d.h"
#include "kernels/conv/conv2d_winograd_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

struct WinogradWeight {
  Tiling tiling;
  Source dy, x;
  int taps_y, taps_x;  // of the filter, of all phases
  int taps_z = 1;
  bool volume = false;

  static constexpr int kSquare = 64, kMaxTasks = 16;
  int points() const { return tiling.points(); }
  int plane_taps() const { return taps_y * taps_x; }
  int taps() const { return taps_z * plane_taps(); }
  // Whether a phase has all taps that its points are made for, else it has one less and nothing at infinity.
  bool all_taps_y(int phase) const { return taps_of_phase(taps_y, x.step, phase / x.step) == tiling.taps_y(); }
  bool all_taps_x(int phase) const { return taps_of_phase(taps_x, x.step, phase % x.step) == tiling.taps_x(); }
  bool has_point(int phase, int point) const {
    return (all_taps_y(phase) || point / tiling.columns + 1 < tiling.rows) &&
           (all_taps_x(phase) || point % tiling.columns + 1 < tiling.columns);
  }
  int64_t size() const { return int64_t{dy.channels} * taps() * x.channels; }

  // Squares: rows are output channels, columns input channels, of as many phases as there is room for; or, of all taps
  // in depth, fewer where there are many rows.
  EvenTiles row_cut() const { return EvenTiles(dy.channels, kSquare); }
  // Of a volume rows and columns may end with half a vector: what is written beyond it the next plane writes again.
  int granule() const { return volume ? kHalf : kLanes; }
  int columns() const {
    const int most = volume && row_cut().length(0) > kSquare / 2 ? kSquare / 2 : kSquare;
    return int(round_up(ceil_div(x.channels, ceil_div(x.channels, most)), granule()));
  }
  int column_cuts() const { return int(ceil_div(x.channels, columns())); }
  int phases() const {
    int phases = x.phases();
    while (phases % 2 == 0 && phases * columns() > kSquare) phases /= 2;
    return phases;
  }
  int width() const { return int(round_up(taps_z * phases() * columns(), kLanes)); }
  int squares() const { return row_cut().count * (x.phases() / phases()) * column_cuts(); }

  int64_t row_pitch() const { return round_up(row_cut().length(0), granule()); }
  int tiles_of_block() const {
    const int64_t fit = (volume ? 260'000 : 130'000) / (points() * (dy_pitch() + x_pitch()));
    return int(at_least(volume ? 1 : 16, at_most(fit, tiling.count())));
  }
  int64_t blocks() const { return ceil_div(tiling.count(), tiles_of_block()); }
  int parts() const {  // a part pays for the transform of its sums
    const int64_t most = tiling.count() * tiling.planes / (tiling.planar() ? 96 : 576);
    return int(at_least(1, at_most(at_most(blocks(), most), kMaxTasks / squares())));
  }

  // One task's transformed patches of a block of tiles, and its sums.
  int planes() const { return tiling.planes + taps_z - 1; }  // of a tile of x
  int64_t dy_pitch() const { return tiling.planes * row_pitch(); }
  int64_t x_pitch() const { return planes() * phases() * columns(); }
  int64_t dy_step() const { return round_up(tiles_of_block() * dy_pitch(), 16) + 16; }
  int64_t x_step() const { return round_up(tiles_of_block() * x_pitch(), 16) + 16; }
  int64_t sum_step() const { return round_up(int64_t{row_cut().length(0)} * width(), 16) + 16; }
  int64_t area() const { return points() * (dy_step() + x_step() + sum_step()); }

  // Of images with many squares: a block of tiles has panels of transformed patches, which serve every square that has
  // their rows, or their columns.
  bool shares() const { return tiling.planar() && !volume && squares() >= kMaxTasks; }
  int column_panels() const { return x.phases() / phases() * column_cuts(); }
  int64_t panel_step(int64_t tiles, int64_t pitch) const { return round_up(tiles * pitch, 16) + 16; }  // between points
  EvenTiles shared_blocks() const {  // a block stays in the third-level cache, and pays for the transform of its sums
    const int64_t of_tile = points() * (row_cut().count * dy_pitch() + column_panels() * x_pitch());
    return EvenTiles(int(tiling.count()), int(at_least(64, kSharedFloats / of_tile)));
  }
  int64_t shared_floats(int64_t tiles) const {
    return points() *
           (row_cut().count * panel_step(tiles, dy_pitch()) + column_panels() * panel_step(tiles, x_pitch()));
  }
  int64_t square_sums() const { return points() * sum_step(); }
  static constexpr int64_t kSharedFloats = 1 << 20;
};

// Output channels [first_k, first_k + rows), input channels [first_c, first_c + columns) of g.phases() phases.
struct WinogradSquare {
  int first_k, rows, first_c, columns, first_phase;
  int width;  // of its sums: the last phase without what is padded beyond the last vector
  WinogradSquare(const WinogradWeight& g, int square) {
    const EvenTiles row_cut = g.row_cut();
    const int groups = g.x.phases() / g.phases(), i = square / g.column_cuts() / groups;
    first_k = row_cut.begin(i), rows = row_cut.length(i);
    first_c = square % g.column_cuts() * g.columns(), columns = int(at_most(g.columns(), g.x.channels - first_c));
    first_phase = square / g.column_cuts() % groups * g.phases();
    width = int(round_up((g.taps_z * g.phases() - 1) * g.columns() + columns, kLanes));
  }
  // Of its sums at a point, up to those of the last phase that has the point.
  int width_at(const WinogradWeight& g, int point) const {
    int phases = g.phases();
    while (phases > 0 && !g.has_point(first_phase + phases - 1, point)) --phases;
    return phases == g.phases() ? width : int(at_most(width, phases * g.columns()));
  }
};

// sums (+)= of one block of tiles, a matrix product a point: rows of dy's patches x columns of x's. The steps are from
// point to point.
void add_points(const WinogradWeight& g, const WinogradSquare& square, int64_t tiles, const float* dy, int64_t dy_step,
                const float* x, int64_t x_step, float* sums, bool add) {
  Tile t{};
  t.middle = {tiles, g.dy_pitch(), g.x_pitch()};
  t.inner = {g.tiling.planes, g.row_pitch(), g.phases() * g.columns()};
  if (g.tiling.planes == 1) std::swap(t.middle, t.inner);
  t.c_row = g.width();
  t.add = add;
  const int64_t sum_step = g.sum_step();
  for (int p = 0; p < g.points(); ++p) {
    const int width = square.width_at(g, p);
    for (int first = 0; first < width; first += kMaxVectors * kLanes) {
      t.columns = int(at_most(width - first, kMaxVectors * kLanes));
      const int vectors = t.columns / kLanes;
      const EvenTiles cut(square.rows, max_rows(vectors));
      t.a = dy + p * dy_step;
      t.b = x + p * x_step + first;
      t.c = sums + p * sum_step + first;
      t.repeat = cut.longer;
      if (cut.longer > 0) tile_function<Operands::unit>(cut.size + 1, vectors)(t);
      t.a += cut.begin(cut.longer);
      t.c += cut.begin(cut.longer) * t.c_row;
      t.repeat = cut.count - cut.longer;
      tile_function<Operands::unit>(cut.size, vectors)(t);
    }
  }
}

// dw[row][tap][column] (+)= of one square; a phase has every step-th tap, a tap in depth all of a plane.
template <int kRows, int kColumns>
void write_filters(const WinogradWeight& g, const WinogradSquare& square, const float* sums, float* dw, bool add) {
  const Vf d;
  constexpr int kTapsY = kRows == 1 ? 1 : taps_of(kRows), kTapsX = taps_of(kColumns);
  const int64_t point = g.sum_step(), step = g.x.step;
  const int phases = g.phases(), runs = g.taps_z * phases, width = g.width(), columns = g.columns(), taps = g.taps();
  for (int i = 0; i < square.rows * runs; ++i) {
    const int k = i / runs, run = i % runs, phase = square.first_phase + run % phases;
    const int64_t tap = int64_t{run / phases} * g.plane_taps() + phase / step * g.taps_x + phase % step;
    const bool all_y = g.all_taps_y(phase), all_x = g.all_taps_x(phase);
    const int rows = kRows - !all_y, taps_y = kTapsY - !all_y, taps_x = kTapsX - !all_x;
    float* const to = dw + ((square.first_k + k) * int64_t{taps} + tap) * g.x.channels + square.first_c;
    for (int c = 0; c < square.columns; c += kLanes) {
      const float* from = sums + int64_t{k} * width + run * columns + c;
      Vec half[kTapsY][kColumns];
      for (int q = 0; q < kColumns; ++q) {
        if (q + 1 == kColumns && !all_x) {
          for (int r = 0; r < kTapsY; ++r) half[r][q] = hn::Zero(d);
        } else if constexpr (kRows == 1) {
          half[0][q] = hn::LoadU(d, from + q * point);
        } else {
          Vec in[kRows], out[kTapsY];
          for (int p = 0; p < kRows; ++p)
            in[p] = p < rows ? hn::LoadU(d, from + (p * kColumns + q) * point) : hn::Zero(d);
          filter_from_points(in, out);
          for (int r = 0; r < kTapsY; ++r) half[r][q] = out[r];
        }
      }
      for (int r = 0; r < taps_y; ++r) {
        Vec out[kTapsX];
        filter_from_points(half[r], out);
        for (int s = 0; s < taps_x; ++s) {
          float* const value = to + (int64_t{r} * g.taps_x + s) * step * g.x.channels + c;
          const int count = int(at_most(kLanes, square.columns - c));
          store_first(add ? hn::Add(load_first(value, count), out[s]) : out[s], value, count);
        }
      }
    }
  }
}

size_t winograd_workspace(const WinogradWeight& g) {
  if (g.shares()) {
    const EvenTiles blocks = g.shared_blocks();
    return size_t(g.shared_floats(blocks.count ? blocks.length(0) : 0) + WinogradWeight::kMaxTasks * g.square_sums()) *
           sizeof(float);
  }
  const int64_t tasks = int64_t{g.squares()} * g.parts();
  return size_t(round_up(g.parts() * g.size(), 16) + at_most(tasks, WinogradWeight::kMaxTasks) * g.area()) *
         sizeof(float);
}

using WriteFilters = void (*)(const WinogradWeight&, const WinogradSquare&, const float* sums, float* dw, bool add);
WriteFilters filter_writer(const WinogradWeight& g) {
  if (!g.tiling.planar()) return write_filters<1, 6>;
  return g.tiling.rows == 6 ? write_filters<6, 6> : write_filters<5, 5>;
}

// g.shares(): a block of tiles at a time, its panels and then its squares.
void shared_weight_gradient(const WinogradWeight& g, float* dw, float* scratch) {
  const EvenTiles blocks = g.shared_blocks();
  if (blocks.count == 0) {
    std::fill_n(dw, g.size(), 0.0f);
    return;
  }
  const TransformPatches transform_dy = transform_outputs(g.tiling, false),
                         transform_x = transform_inputs(g.tiling, false);
  const WriteFilters write = filter_writer(g);
  const int squares = g.squares(), row_panels = g.row_cut().count, column_panels = g.column_panels(),
            panels = row_panels + column_panels;
  float* const areas = scratch + g.shared_floats(blocks.length(0));
  for (int b = 0; b < blocks.count; ++b) {
    const int64_t tiles = blocks.length(b), dy_step = g.panel_step(tiles, g.dy_pitch()),
                  x_step = g.panel_step(tiles, g.x_pitch());
    float* const x_panels = scratch + row_panels * g.points() * dy_step;
    // The panels, some tiles at a time.
    const EvenTiles parts(int(tiles), 32);
    parallel_for(int64_t{panels} * parts.count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int part = int(i / panels), panel = int(i % panels), column = panel - row_panels;
        const int64_t first = blocks.begin(b) + parts.begin(part);
        const TileRange range{first, first + parts.length(part)};
        if (column < 0) {
          const WinogradSquare square(g, panel * column_panels);
          transform_dy(g.tiling, range, g.dy, {0, 1, square.first_k, square.rows},
                       {scratch + panel * g.points() * dy_step + parts.begin(part) * g.dy_pitch(), dy_step,
                        g.dy_pitch(), g.row_pitch()});
        } else {
          const WinogradSquare square(g, column);
          transform_x(g.tiling, range, g.x, {square.first_phase, g.phases(), square.first_c, square.columns},
                      {x_panels + column * g.points() * x_step + parts.begin(part) * g.x_pitch(), x_step, g.x_pitch(),
                       g.columns()});
        }
      }
    });
    constexpr int kChunks = WinogradWeight::kMaxTasks;
    parallel_for(kChunks, 1, [&](int64_t chunk, int64_t) {
      float* const sums = areas + worker() * g.square_sums();
      for (int i = int(squares * chunk / kChunks); i < squares * (chunk + 1) / kChunks; ++i) {
        const WinogradSquare square(g, i);
        add_points(g, square, tiles, scratch + i / column_panels * g.points() * dy_step, dy_step,
                   x_panels + i % column_panels * g.points() * x_step, x_step, sums, false);
        write(g, square, sums, dw, b > 0);
      }
    });
  }
}

void winograd_weight_gradient(const WinogradWeight& g, float* dw, float* scratch) {
  if (g.shares()) return shared_weight_gradient(g, dw, scratch);
  const int64_t size = g.size(), tiles = g.tiling.count();
  const int parts = g.parts(), squares = g.squares();
  float* const areas = scratch + round_up(parts * size, 16);
  const int64_t tasks = int64_t{squares} * parts, chunks = at_most(tasks, WinogradWeight::kMaxTasks);
  const TransformPatches transform_dy = transform_outputs(g.tiling, g.volume),
                         transform_x = transform_inputs(g.tiling, g.volume);
  const WriteFilters write = filter_writer(g);
  auto run = [&](int64_t task) {
    const int part = int(task / squares);
    const WinogradSquare square(g, int(task % squares));
    float* const dy = areas + worker() * g.area();
    float* const x = dy + g.points() * g.dy_step();
    float* const sums = x + g.points() * g.x_step();
    const TileRange all{tiles * part / parts, tiles * (part + 1) / parts};
    const EvenTiles cut(int(all.size()), g.tiles_of_block());
    if (cut.count == 0)
      for (int64_t j = 0; j < g.points() * g.sum_step(); ++j) sums[j] = 0;
    for (int b = 0; b < cut.count; ++b) {
      const TileRange range{all.begin + cut.begin(b), all.begin + cut.begin(b) + cut.length(b)};
      transform_dy(g.tiling, range, g.dy, {0, g.tiling.planes, square.first_k, square.rows},
                   {dy, g.dy_step(), g.dy_pitch(), g.row_pitch()});
      transform_x(g.tiling, range, g.x,
                  {square.first_phase, g.volume ? g.planes() : g.phases(), square.first_c, square.columns},
                  {x, g.x_step(), g.x_pitch(), g.columns()});
      add_points(g, square, range.size(), dy, g.dy_step(), x, g.x_step(), sums, b > 0);
    }
    write(g, square, sums, (parts > 1 ? scratch : dw) + part * size, false);
  };
  parallel_for(chunks, 1, [&](int64_t chunk, int64_t) {
    for (int64_t task = tasks * chunk / chunks; task < tasks * (chunk + 1) / chunks; ++task) run(task);
  });
  if (parts == 1) return;
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
