// linear as matrix products, once per instruction set; for few rows see linear_few_rows-inl.h. The factor that is read
// by columns is copied into panels, a thousand terms at a time, which the micro-kernel (common/tile-inl.h) reads in
// order; the other one is read where it stands, or copied too where its terms lie far apart. Terms are summed in blocks
// of 256, so that what a block reads stays in the near caches; the order of a sum depends on nothing but the shape.
// Prepared weights are panels of all terms, packed once.
#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"
#include "kernels/matmul/linear.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul/linear_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/tile-inl.h"
#include "kernels/matmul/linear_few_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t kPanel = kMaxVectors * kLanes;
constexpr int64_t kTerms = 256, kChunk = 4 * kTerms;  // terms of a block and of what is packed at a time
constexpr int64_t kGroup = 8;                         // panels of a unit of work: a block of them fits the second cache
constexpr int kTilesOfUnit = 4;                       // tiles of rows of a unit of work
constexpr int kFewTiles = 16;                         // with so few, a unit is one panel, so that there are enough
constexpr int64_t kUnitRows = kTilesOfUnit * max_rows(kMaxVectors);
constexpr int64_t kTurned = 16;  // a square of so many values is turned at a time

int64_t padded(int64_t columns) { return ceil_div(columns, kLanes) * kLanes; }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// The value of line i and term t stands at from[i * line + t * term]; one of the two steps is 1.
struct Factor {
  const float* from;
  int64_t line, term;
};

// out[i,j] = start[j] + sum_t a(i,t) b(j,t); start may be null.
struct Product {
  int64_t rows, columns, terms;
  Factor a, b;
  const float* start;
  float* out;
  int64_t out_row;

  EvenTiles tiles() const { return EvenTiles(int(rows), max_rows(kMaxVectors)); }
  int64_t panels() const { return ceil_div(columns, kPanel); }
  int columns_of(int64_t panel) const { return int(least(columns - panel * kPanel, kPanel)); }
};
// Floats: the panels of a chunk of b, and start with their padding.
int64_t scratch_of(int64_t columns, int64_t terms) { return padded(columns) * (least(terms, kChunk) + 1); }

// Terms t0 .. t0 + count of b: a panel of kPanel columns after the other, [count][width] each; what pads the last one's
// width is 0.
void pack(const Product& p, int64_t t0, int64_t count, float* packed) {
  if (p.b.line == 1) {  // by terms: each is read in one go
    parallel_for(ceil_div(count, kTurned), 1, [&](int64_t begin, int64_t end) {
      const Vf d;
      for (int64_t t = begin * kTurned; t < least(count, end * kTurned); ++t)
        for (int64_t j = 0; j < p.columns; j += kLanes) {
          const int64_t panel = j / kPanel, width = padded(p.columns_of(panel));
          hn::StoreU(load_first(p.b.from + (t0 + t) * p.b.term + j, int(least(p.columns - j, kLanes))), d,
                     packed + panel * kPanel * count + t * width + j % kPanel);
        }
    });
    return;
  }
  parallel_for(p.panels(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t columns = p.columns_of(panel), width = padded(columns);
      const float* from = p.b.from + panel * kPanel * p.b.line + t0;
      float* to = packed + panel * kPanel * count;
      for (int64_t first = 0; first < count; first += kTurned)
        for (int64_t j = 0; j < width; ++j)
          for (int64_t t = first; t < least(count, first + kTurned); ++t)
            to[t * width + j] = j < columns ? from[j * p.b.line + t] : 0.0f;
    }
  });
}

// What a unit's tiles add for the terms t0 .. t0 + count, whose panels are packed.
struct Unit {
  int64_t first_panel, last_panel;
  int first_tile, last_tile;
};
// limits, which may be null, are those of the sums when the last of these terms is added.
void add_chunk(const Product& p, const EvenTiles& tiles, const Unit& u, int64_t t0, int64_t count, const float* packed,
               const float* start, const float* limits = nullptr) {
  HWY_ALIGN float near[kTerms * kUnitRows];
  const int64_t first_row = tiles.begin(u.first_tile), rows = tiles.begin(u.last_tile) - first_row;
  for (int64_t block = 0; block < count; block += kTerms) {
    const int64_t terms = least(count - block, kTerms);
    Factor a{p.a.from + (t0 + block) * p.a.term + first_row * p.a.line, p.a.line, p.a.term};  // from the unit's rows on
    if (a.line == 1 && u.last_panel - u.first_panel > 1) {
      for (int64_t t = 0; t < terms; ++t) {
        const float* from = a.from + t * a.term;
        if (t + 8 < p.terms - t0 - block)
          for (int64_t i = 0; i < rows; i += 16) __builtin_prefetch(from + 8 * a.term + i);
        for (int64_t i = 0; i < rows; ++i) near[t * kUnitRows + i] = from[i];
      }
      a = {near, 1, kUnitRows};
    }
    for (int k = u.first_tile; k < u.last_tile; ++k)
      for (int64_t panel = u.first_panel; panel < u.last_panel; ++panel) {
        const int length = tiles.length(k), vectors = int(padded(p.columns_of(panel)) / kLanes);
        Tile t{};
        t.a = a.from + (tiles.begin(k) - first_row) * a.line;
        t.a_row = a.line;
        t.b = packed + panel * kPanel * count + block * vectors * kLanes;
        t.inner = {terms, a.term, vectors * kLanes};
        t.c = p.out + tiles.begin(k) * p.out_row + panel * kPanel;
        t.c_row = p.out_row;
        t.columns = p.columns_of(panel);
        t.add = t0 + block > 0;
        t.start = t.add ? nullptr : start + panel * kPanel;
        t.limits = block + terms == count ? limits : nullptr;
        (a.line == 1 ? tile_function<Operands::unit>(length, vectors)
                     : tile_function<Operands::strided>(length, vectors))(t);
      }
  }
}

void multiply(const Product& p, float* scratch) {
  float *start = scratch, *packed = scratch + padded(p.columns);
  for (int64_t j = 0; j < padded(p.columns); ++j) start[j] = p.start && j < p.columns ? p.start[j] : 0.0f;
  const EvenTiles tiles = p.tiles();
  const int64_t group = tiles.count <= kFewTiles ? 1 : kGroup, groups = ceil_div(p.panels(), group),
                down = ceil_div(tiles.count, kTilesOfUnit);
  for (int64_t t0 = 0; t0 < p.terms; t0 += kChunk) {
    const int64_t count = least(p.terms - t0, kChunk);
    pack(p, t0, count, packed);
    parallel_for(groups * down, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t panel = i / down * group, tile = i % down * kTilesOfUnit;
        add_chunk(p, tiles,
                  {panel, least(p.panels(), panel + group), int(tile), int(least(tiles.count, tile + kTilesOfUnit))},
                  t0, count, packed, start);
      }
    });
  }
}

// y is x w' (w is packed), or with few rows w x' (x is packed) turned over.
bool is_turned(const LinearSpec& g) { return g.rows * (g.c + g.k) < g.k * g.c; }

// With fewer rows the copy of a factor would take longer than the products.
bool has_few_rows(const LinearSpec& g) { return g.rows < 16; }

size_t workspace(const LinearSpec& g) {
  if (has_few_rows(g)) return 0;
  const int64_t forward = is_turned(g) ? scratch_of(g.rows, g.c) + g.k * padded(g.rows) : scratch_of(g.k, g.c),
                data = scratch_of(g.c, g.k), weight = scratch_of(g.c, g.rows);
  const int64_t most = data > weight ? data : weight;
  return size_t(forward > most ? forward : most) * sizeof(float);
}

void forward(const Exec& exec, const LinearSpec& g, const float* x, const float* w, const float* b, float* y) {
  if (has_few_rows(g)) return forward_few_rows(g, x, w, b, y);
  float* scratch = static_cast<float*>(exec.scratch);
  const Factor of_x{x, g.x_pitch(), 1}, of_w{w, g.c, 1};
  if (!is_turned(g)) {
    multiply({g.rows, g.k, g.c, of_x, of_w, b, y, g.y_pitch()}, scratch);
    return;
  }
  const int64_t pitch = padded(g.rows);
  float* turned = scratch + scratch_of(g.rows, g.c);  // [K][rows]
  multiply({g.k, g.rows, g.c, of_w, of_x, nullptr, turned, pitch}, scratch);
  parallel_for(ceil_div(g.rows, kTurned), 1, [&](int64_t begin, int64_t end) {
    const int64_t last = end * kTurned < g.rows ? end * kTurned : g.rows;
    for (int64_t i0 = begin * kTurned; i0 < last; i0 += kTurned)
      for (int64_t k0 = 0; k0 < g.k; k0 += kTurned)
        for (int64_t i = i0; i < last && i < i0 + kTurned; ++i)
          for (int64_t k = k0; k < g.k && k < k0 + kTurned; ++k)
            y[i * g.y_pitch() + k] = turned[k * pitch + i] + (b ? b[k] : 0.0f);
  });
}
void backward_data(const Exec& exec, const LinearSpec& g, const float* dy, const float* w, float* dx) {
  if (has_few_rows(g)) return backward_data_few_rows(g, dy, w, dx);
  multiply({g.rows, g.c, g.k, {dy, g.dy_pitch(), 1}, {w, 1, g.c}, nullptr, dx, g.dx_pitch()},
           static_cast<float*>(exec.scratch));
}
void backward_weight(const Exec& exec, const LinearSpec& g, const float* dy, const float* x, float* dw) {
  if (has_few_rows(g)) return backward_weight_few_rows(g, dy, x, dw);
  multiply({g.k, g.c, g.rows, {dy, 1, g.dy_pitch()}, {x, 1, g.x_pitch()}, nullptr, dw, g.c},
           static_cast<float*>(exec.scratch));
}

// Prepared: b with its padding, then the panels of w.
size_t prepared_bytes(const LinearSpec& g) { return size_t(padded(g.k) * (g.c + 1)) * sizeof(float); }
void prepare(const LinearSpec& g, const float* w, const float* b, void* prepared) {
  float* start = static_cast<float*>(prepared);
  for (int64_t k = 0; k < padded(g.k); ++k) start[k] = b && k < g.k ? b[k] : 0.0f;
  pack({.rows = 0, .columns = g.k, .terms = g.c, .b = {w, g.c, 1}}, 0, g.c, start + padded(g.k));
}
void run_prepared(const LinearSpec& g, const float* x, const void* prepared, Limits limits, float* y) {
  const float *start = static_cast<const float*>(prepared), *packed = start + padded(g.k),
              ends[] = {limits.low, limits.high};
  const Product p{
      .rows = g.rows, .columns = g.k, .terms = g.c, .a = {x, g.x_pitch(), 1}, .out = y, .out_row = g.y_pitch()};
  const EvenTiles tiles = p.tiles();
  const int64_t down = ceil_div(tiles.count, kTilesOfUnit), group = tiles.count <= kFewTiles ? 1 : kGroup,
                groups = ceil_div(p.panels(), group);
  const int64_t products = kPanel * g.c * least(g.rows, kUnitRows);  // of a panel
  parallel_for(groups * down, units_together(products), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t panel = i / down * group, tile = i % down * kTilesOfUnit;
      add_chunk(p, tiles,
                {panel, least(p.panels(), panel + group), int(tile), int(least(tiles.count, tile + kTilesOfUnit))}, 0,
                g.c, packed, start, limits.any() ? ends : nullptr);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
LinearProducts linear_products<KERN_SIMD_ISA>() {
  return {.workspace = HWY_NAMESPACE::workspace,
          .forward = HWY_NAMESPACE::forward,
          .backward_data = HWY_NAMESPACE::backward_data,
          .backward_weight = HWY_NAMESPACE::backward_weight,
          .prepared = {HWY_NAMESPACE::prepared_bytes, HWY_NAMESPACE::prepare, HWY_NAMESPACE::run_prepared}};
}

}  // namespace kern::kernels
