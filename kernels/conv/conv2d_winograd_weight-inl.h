// Winograd's backward_weight, the adjoint of conv2d_winograd-inl.h in the filter:
//   dw = G^T [ sum over tiles (A dy A^T) . (B^T x B) ] G
// The channels are cut into squares whose 36 sums stay in the second-level cache, the tiles into parts; each (square,
// part) has a partial dw of its own, and these are added in order: the same bits for any number of threads. A filter of
// stride 2 has columns of its own for every phase of x, one of a volume for every tap in depth: what output plane z
// meets of x are the points of the planes from z on, one run of values. Included by conv2d_winograd.cpp, once per instruction set.
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
  int taps_z = 1;
  bool volume = false;

  static constexpr int kSquare = 64, kMaxTasks = 16;
  int points() const { return tiling.points(); }
  int plane_taps() const { return tiling.taps_y() * tiling.taps_x() * x.phases(); }
  int taps() const { return taps_z * plane_taps(); }
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
};

// sums (+)= of one block of tiles, a matrix product a point: rows of dy's patches x columns of x's.
void add_points(const WinogradWeight& g, const WinogradSquare& square, int64_t tiles, const float* dy, const float* x,
                float* sums, bool add) {
  Tile t{};
  t.middle = {tiles, g.dy_pitch(), g.x_pitch()};
  t.inner = {g.tiling.planes, g.row_pitch(), g.phases() * g.columns()};
  if (g.tiling.planes == 1) std::swap(t.middle, t.inner);
  t.c_row = g.width();
  t.add = add;
  const int64_t dy_step = g.dy_step(), x_step = g.x_step(), sum_step = g.sum_step();
  for (int p = 0; p < g.points(); ++p)
    for (int first = 0; first < square.width; first += kMaxVectors * kLanes) {
      t.columns = int(at_most(square.width - first, kMaxVectors * kLanes));
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

// dw[row][tap][column] of one square; a phase has every step-th tap, a tap in depth all of a plane.
template <int kRows, int kColumns>
void write_filters(const WinogradWeight& g, const WinogradSquare& square, const float* sums, float* dw) {
  const Vf d;
  constexpr int kTapsY = kRows == 1 ? 1 : taps_of(kRows), kTapsX = taps_of(kColumns);
  const int64_t point = g.sum_step(), step = g.x.step;
  const int phases = g.phases(), runs = g.taps_z * phases, width = g.width(), columns = g.columns(), taps = g.taps();
  for (int i = 0; i < square.rows * runs; ++i) {
    const int k = i / runs, run = i % runs, phase = square.first_phase + run % phases;
    const int64_t tap = int64_t{run / phases} * g.plane_taps() + phase / step * step * kTapsX + phase % step;
    float* const to = dw + ((square.first_k + k) * int64_t{taps} + tap) * g.x.channels + square.first_c;
    for (int c = 0; c < square.columns; c += kLanes) {
      const float* from = sums + int64_t{k} * width + run * columns + c;
      Vec half[kTapsY][kColumns];
      for (int q = 0; q < kColumns; ++q) {
        if constexpr (kRows == 1) {
          half[0][q] = hn::LoadU(d, from + q * point);
        } else {
          Vec in[kRows], out[kTapsY];
          for (int p = 0; p < kRows; ++p) in[p] = hn::LoadU(d, from + (p * kColumns + q) * point);
          filter_from_points(in, out);
          for (int r = 0; r < kTapsY; ++r) half[r][q] = out[r];
        }
      }
      for (int r = 0; r < kTapsY; ++r) {
        Vec out[kTapsX];
        filter_from_points(half[r], out);
        for (int s = 0; s < kTapsX; ++s)
          store_first(out[s], to + (r * step * kTapsX + s) * step * g.x.channels + c,
                      int(at_most(kLanes, square.columns - c)));
      }
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
  float* const areas = scratch + round_up(parts * size, 16);
  const int64_t tasks = int64_t{squares} * parts, chunks = at_most(tasks, WinogradWeight::kMaxTasks);
  const TransformPatches transform_dy = transform_outputs(g.tiling, g.volume),
                         transform_x = transform_inputs(g.tiling, g.volume);
  const auto write = !g.tiling.planar()   ? write_filters<1, 6>
                     : g.tiling.rows == 6 ? write_filters<6, 6>
                                          : write_filters<5, 5>;
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
      add_points(g, square, range.size(), dy, x, sums, b > 0);
    }
    write(g, square, sums, (parts > 1 ? scratch : dw) + part * size);
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
