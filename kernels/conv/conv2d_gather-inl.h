// conv2d forward and backward_data as one thing: a gather. An output position reads its taps from the input,
//   out[n, i, j, :] = start + sum_{taps} in[n, row of (i, tap), column of (j, tap), :] * weights[tap],
// where rows and columns of the input, and planes of a volume, advance by fixed steps. Forward is one gather.
// backward_data of stride 1 is one with the filter turned round; of stride s it is one per residue of d, h and w modulo
// s (each with the taps that hit it), so every dx is written once. Included by conv2d_simd.cpp, once per instruction set.
#if defined(KERN_CONV2D_GATHER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_GATHER_INL_H
#undef KERN_CONV2D_GATHER_INL_H
#else
#define KERN_CONV2D_GATHER_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

struct Range {
  int begin = 0, end = 0;
  int size() const { return end > begin ? end - begin : 0; }
};
[[maybe_unused]] inline Range range_of(const EvenTiles& tiles, int i) {
  return {tiles.begin(i), tiles.begin(i) + tiles.length(i)};
}
constexpr Range overlap(Range a, Range b) { return {int(at_least(a.begin, b.begin)), int(at_most(a.end, b.end))}; }

// One direction (depth, height or width) of a gather. Output j of n lies at out_first + j * out_step and reads, for each tap
// t, the input at j * in_step + in_first + t * in_tap, if that is inside [0, in_size). Tap t is filter row (column)
// w_first + t * w_step.
struct Axis {
  int n, out_size, out_first, out_step;
  int in_size, in_step, in_first, in_tap;
  int taps, w_first, w_step;

  int64_t input(int j, int t) const { return int64_t{j} * in_step + in_first + int64_t{t} * in_tap; }
  int64_t output(int j) const { return out_first + int64_t{j} * out_step; }
  // The outputs for which tap t is inside.
  Range outputs(int t) const {
    const int first = in_first + t * in_tap;
    auto from = [&](int edge) { return int(at_most(n, at_least(0, ceil_div(at_least(0, edge - first), in_step)))); };
    return {from(0), from(in_size)};
  }
  // The outputs whose taps are all inside.
  Range inside() const {
    Range all{0, n};
    for (int t = 0; t < taps; ++t) all = overlap(all, outputs(t));
    return all;
  }
  // The taps that are inside for every output of a range: neighbours, since taps advance (in_tap > 0).
  Range taps_of(Range j) const {
    Range t{0, 0};
    while (t.begin < taps && !covers(t.begin, j)) ++t.begin;
    t.end = t.begin;
    while (t.end < taps && covers(t.end, j)) ++t.end;
    return t;
  }
  // The taps that are inside for output j.
  Range taps_at(int j) const {
    Range t{0, taps};
    while (t.begin < taps && input(j, t.begin) < 0) ++t.begin;
    while (t.end > t.begin && input(j, t.end - 1) >= in_size) --t.end;
    return t;
  }
  bool covers(int t, Range j) const {
    const Range inside = outputs(t);
    return inside.begin <= j.begin && j.end <= inside.end;
  }
};

Axis forward_axis(int in, int out, int filter, int stride, int dilation, int pad) {
  return {.n = out,
          .out_size = out,
          .out_first = 0,
          .out_step = 1,
          .in_size = in,
          .in_step = stride,
          .in_first = -pad,
          .in_tap = dilation,
          .taps = filter,
          .w_first = 0,
          .w_step = 1};
}

// The outputs residue + j * stride of dx: they are hit by the taps r for which residue + pad - r * dilation is a
// multiple of the stride; these are every step-th.
Axis backward_axis(int in, int out, int filter, int stride, int dilation, int pad, int residue) {
  int step = 1;
  while (step * dilation % stride != 0) ++step;
  int first = 0;
  while (first < step && (residue + pad - first * dilation) % stride != 0) ++first;
  const int taps = first < step && first < filter ? (filter - 1 - first) / step + 1 : 0;
  const int last = first + (taps - 1) * step;  // taken backwards, so that the input advances
  return {.n = residue < in ? (in - residue - 1) / stride + 1 : 0,
          .out_size = in,
          .out_first = residue,
          .out_step = stride,
          .in_size = out,
          .in_step = 1,
          .in_first = taps ? (residue + pad - last * dilation) / stride : 0,
          .in_tap = step * dilation / stride,
          .taps = taps,
          .w_first = last,
          .w_step = -step};
}

struct Gather {
  Axis z, y, x;
  int n, groups, reduce, columns;  // channels of a group: of the input, of the output
  const float* in;
  int64_t in_pitch;
  float* out;
  int64_t out_pitch;
  const float* bias;  // of all groups, may be null

  // The filter w[k,t,r,s,c]: from output channel to output channel, from input channel to input channel, from group to
  // group.
  int64_t w_column, w_reduce, w_group, w_plane, w_row, w_tap;
  const float* limits = nullptr;  // the least and the greatest output, may be null

  int64_t padded() const { return ceil_div(columns, kLanes) * kLanes; }
  int64_t taps() const { return int64_t{z.taps} * y.taps * x.taps; }
  int64_t w_at(int tz, int ty, int tx) const {
    return (z.w_first + tz * z.w_step) * w_plane + (y.w_first + ty * y.w_step) * w_row +
           (x.w_first + tx * x.w_step) * w_tap;
  }
  int64_t rows() const { return int64_t{z.n} * y.n; }  // of outputs, of an image or a volume
  int64_t packed_size() const { return groups * padded() * (taps() * reduce + 1); }
  int64_t padded_groups() const { return ceil_div(groups, kLanes) * kLanes; }
  int blocks() const { return int(ceil_div(columns, kMaxVectors * kLanes)); }
};

// One block of columns: kMaxVectors vectors of output channels, the last block of a group maybe fewer.
struct Block {
  int group, first, columns, vectors;
  int64_t width() const { return int64_t{vectors} * kLanes; }
};
Block block_of(const Gather& g, int64_t i) {
  const int group = int(i / g.blocks()), first = int(i % g.blocks()) * kMaxVectors * kLanes;
  const int columns = int(at_most(g.columns - first, kMaxVectors * kLanes));
  return {group, first, columns, int(ceil_div(columns, kLanes))};
}
// Packed weights: per group and block [tap z][tap y][tap x][input channel][block width], the bias of the block behind
// them.
int64_t packed_begin(const Gather& g, const Block& b) {
  return (b.group * g.padded() + b.first) * (g.taps() * g.reduce + 1);
}
void pack_weights(const Gather& g, const float* w, float* packed) {
  const int64_t per_block = g.taps() * g.reduce * kMaxVectors * kLanes;
  parallel_for(int64_t{g.groups} * g.blocks(), at_least(1, 32768 / at_least(1, per_block)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const Block b = block_of(g, i);
                   const int64_t width = b.width();
                   float* to = packed + packed_begin(g, b);
                   const float* from = w + b.group * g.w_group + b.first * g.w_column;
                   for (int tz = 0; tz < g.z.taps; ++tz)
                     for (int ty = 0; ty < g.y.taps; ++ty)
                       for (int tx = 0; tx < g.x.taps; ++tx, to += g.reduce * width) {
                         const float* tap = from + g.w_at(tz, ty, tx);
                         for (int64_t c0 = 0; c0 < g.reduce;
                              c0 += 16)  // so that source and target of a few channels stay in the nearest cache
                           for (int64_t j = 0; j < width; ++j)
                             for (int64_t c = c0; c < at_most(g.reduce, c0 + 16); ++c)
                               to[c * width + j] = j < b.columns ? tap[j * g.w_column + c * g.w_reduce] : 0.0f;
                       }
                   for (int64_t j = 0; j < width; ++j)
                     to[j] = g.bias && j < b.columns ? g.bias[b.group * g.columns + b.first + j] : 0.0f;
                 }
               });
}

// So many outputs of a row, the first at `out`, for one block of channels: brought within the limits.
void limit_row(const Gather& g, const Block& b, float* out, int outputs) {
  for (; outputs > 0; --outputs, out += g.x.out_step * g.out_pitch)
    for (int k = 0; k < b.columns; k += kLanes) {
      const int count = int(at_most(kLanes, b.columns - k));
      store_first(limited(load_first(out + k, count), g.limits), out + k, count);
    }
}

// A row of outputs: row i of plane o of an image or volume n.
struct Row {
  int n, o, i;
  Row(int of, int plane, int row) : n(of), o(plane), i(row) {}
  Row(const Gather& g, int64_t row) {
    const int64_t plane = row / g.y.n;
    n = int(plane / g.z.n), o = int(plane - int64_t{n} * g.z.n), i = int(row - plane * g.y.n);
  }
  int64_t input(const Gather& g, int tz, int ty) const {
    return (int64_t{n} * g.z.in_size + g.z.input(o, tz)) * g.y.in_size + g.y.input(i, ty);
  }
  int64_t output(const Gather& g) const {
    return (int64_t{n} * g.z.out_size + g.z.output(o)) * g.y.out_size + g.y.output(i);
  }
};

// Outputs `js` of a row, for one block of channels. `inside`: the outputs whose taps are all inside.
void gather_row(const Gather& g, const Block& b, const float* packed, Range inside, const Row& row, Range js) {
  const int64_t width = b.width(), per_tap = g.reduce * width;
  const Range tz = g.z.taps_at(row.o), ty = g.y.taps_at(row.i);
  const int64_t in_row = row.input(g, tz.begin, ty.begin), out_row = row.output(g);
  const float* in = g.in + b.group * g.reduce;
  float* out = g.out + b.group * g.columns + b.first;
  const bool taps_touch = g.x.in_tap == 1 && g.in_pitch == g.reduce;  // then taps and channels are one loop

  const bool slides = g.x.in_tap == 1 && has_slide(g.x.taps, g.x.in_step);
  // Outputs [j, j + length), `repeat` times, from taps tx that are all inside.
  auto run = [&](Range tx, int j, int length, int repeat, bool add, const float* limits) {
    Tile t{};
    t.a = in + (in_row * g.x.in_size + g.x.input(j, tx.begin)) * g.in_pitch;
    t.b = packed + ((int64_t{tz.begin} * g.y.taps + ty.begin) * g.x.taps + tx.begin) * per_tap;
    t.a_row = g.x.in_step * g.in_pitch;
    t.planes = {tz.size(), int64_t{g.z.in_tap} * g.y.in_size * g.x.in_size * g.in_pitch,
                int64_t{g.y.taps} * g.x.taps * per_tap};
    t.outer = {tx.size() > 0 ? ty.size() : 0, g.y.in_tap * g.x.in_size * g.in_pitch, g.x.taps * per_tap};
    t.middle = {taps_touch ? 1 : tx.size(), g.x.in_tap * g.in_pitch, per_tap};
    t.inner = {taps_touch ? tx.size() * g.reduce : g.reduce, 1, width};
    t.c = out + (out_row * g.x.out_size + g.x.output(j)) * g.out_pitch;
    t.c_row = g.x.out_step * g.out_pitch;
    t.columns = b.columns;
    t.start = g.bias && !add ? packed + g.taps() * per_tap : nullptr;
    t.add = add;
    t.limits = limits;
    t.repeat = repeat;
    const bool whole = slides && tx.size() == g.x.taps;
    if (whole) t.inner.n = g.reduce;
    (whole ? slide_function(g.x.taps, g.x.in_step, length, b.vectors)
           : tile_function<Operands::strided>(length, b.vectors))(t);
  };
  const EvenTiles tiles(js.size(), slides ? max_slide_rows(b.vectors, g.x.taps) : max_rows(b.vectors));
  for (int k = 0; k < tiles.count; ++k) {
    const Range j{js.begin + tiles.begin(k), js.begin + tiles.begin(k) + tiles.length(k)};
    if (inside.begin <= j.begin && j.end <= inside.end) {
      int repeat = 1;
      while (k + 1 < tiles.count && tiles.length(k + 1) == j.size() && js.begin + tiles.begin(k + 2) <= inside.end)
        ++k, ++repeat;
      run({0, g.x.taps}, j.begin, j.size(), repeat, false, g.limits);
    } else {  // at a border: the taps that are inside for the whole tile, then the others, each for its part of the
              // tile
      const Range whole = g.x.taps_of(j);
      run(whole, j.begin, j.size(), 1, false, nullptr);
      for (int tx = 0; tx < g.x.taps; ++tx) {
        const Range part = overlap(g.x.outputs(tx), j);
        if ((tx < whole.begin || tx >= whole.end) && part.size() > 0 && ty.size() > 0 && tz.size() > 0)
          run({tx, tx + 1}, part.begin, part.size(), 1, true, nullptr);
      }
      if (g.limits) limit_row(g, b, out + (out_row * g.x.out_size + g.x.output(j.begin)) * g.out_pitch, j.size());
    }
  }
}

// Gathers that differ in their x axis alone: the residues of w, or forward's single one. Each row is written by all of
// them while it is near.
constexpr int kMaxPhases = 4;
struct Phases {
  const Gather* of;
  int count;
  const Gather& first() const { return of[0]; }  // it has the most columns
  const Gather* begin() const { return of; }
  const Gather* end() const { return of + count; }
};
int64_t packed_size(const Phases& phases) {
  int64_t floats = 0;
  for (const Gather& g : phases) floats += g.packed_size();
  return floats;
}

// packed_size() floats that gather() reads in place of w.
void pack_gather(const Phases& phases, const float* w, float* packed) {
  for (const Gather& g : phases) {
    pack_weights(g, w, packed);
    packed += g.packed_size();
  }
}
// The whole of them.
void gather(const Phases& phases, const float* packed) {
  const Gather& f = phases.first();
  if (f.rows() == 0 || f.x.n == 0) return;
  // A unit of work is a row or, of a long signal, a part of it; where there are few units, every block of channels is
  // its own.
  const int64_t parts = ceil_div(f.x.n, 512);
  const int64_t units = f.n * f.rows() * parts, blocks = int64_t{f.groups} * f.blocks(),
                splits = units < 16 ? blocks : 1;
  int64_t macs = 0;
  for (const Gather& g : phases) macs += f.x.n / parts * g.groups * g.columns * (g.taps() * g.reduce + 1) / splits;
  parallel_for(units * splits, at_least(1, (1 << 19) / at_least(1, macs)), [&](int64_t begin, int64_t end) {
    const int64_t first = splits == 1 ? 0 : begin / units, last = splits == 1 ? blocks : (end - 1) / units + 1;
    for (int64_t k = first; k < last; ++k) {
      const Block b = block_of(f, k);
      const int64_t from = splits == 1 ? begin : at_least(0, begin - k * units),
                    to = splits == 1 ? end : at_most(units, end - k * units);
      for (int64_t unit = from; unit < to; ++unit) {
        const int64_t part = unit % parts;
        const Row row(f, unit / parts);
        const float* weights = packed;
        for (const Gather& g : phases) {
          gather_row(g, b, weights + packed_begin(g, b), g.x.inside(), row,
                     {int(g.x.n * part / parts), int(g.x.n * (part + 1) / parts)});
          weights += g.packed_size();
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
