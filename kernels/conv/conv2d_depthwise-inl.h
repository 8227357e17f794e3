// conv2d with one channel a group in and out: no sum over channels, so channels lie in vectors and every product is
// one of vectors. Forward and backward_data are gathers (conv2d_gather-inl.h) without a reduction. Included by
// conv2d_simd.cpp, once per instruction set.
#if defined(KERN_CONV2D_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef KERN_CONV2D_DEPTHWISE_INL_H
#undef KERN_CONV2D_DEPTHWISE_INL_H
#else
#define KERN_CONV2D_DEPTHWISE_INL_H
#endif

#include "kernels/common/parallel.h"
#include "kernels/common/tile-inl.h"
#include "kernels/conv/conv2d_gather-inl.h"
#include "kernels/conv/conv2d_weight-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

bool is_depthwise(const Conv2dSpec& g) { return g.cg() == 1 && g.kg() == 1 && g.c > 1; }

// Channels [c, c + count) of M outputs from j on, in one output row, from taps that are all inside; sums begin with
// `start`. weights: [tap z][tap y][tap x][channels, padded].
struct DepthwiseTile {
  const float *in, *weights;  // of the first tap
  float* out;
  int planes, rows, taps, count;
  int64_t in_plane, weight_plane, in_row, in_tap, in_step, weight_row, weight_tap, out_step;
  const float* limits;  // as Gather's
  hn::Vec<Vf> start;
};
template <int M>
HWY_INLINE void store_sums(const DepthwiseTile& t, hn::Vec<Vf> (&sum)[M]) {
  if (t.limits) {
    HWY_UNROLL(8) for (int i = 0; i < M; ++i) sum[i] = limited(sum[i], t.limits);
  }
  HWY_UNROLL(8) for (int i = 0; i < M; ++i) store_first(sum[i], t.out + i * t.out_step, t.count);
}
using DepthwiseFunction = void (*)(const DepthwiseTile&);

template <int M>
HWY_NOINLINE void depthwise_tile(const DepthwiseTile& t) {
  const Vf d;
  hn::Vec<Vf> sum[M];
  HWY_UNROLL(8) for (int i = 0; i < M; ++i) sum[i] = t.start;
  for (int z = 0; z < t.planes; ++z)
    for (int y = 0; y < t.rows; ++y)
      for (int x = 0; x < t.taps; ++x) {
        const float* in = t.in + z * t.in_plane + y * t.in_row + x * t.in_tap;
        const auto w = hn::LoadU(d, t.weights + z * t.weight_plane + y * t.weight_row + x * t.weight_tap);
        HWY_UNROLL(8)
        for (int i = 0; i < M; ++i) sum[i] = hn::MulAdd(load_first(in + i * t.in_step, t.count), w, sum[i]);
      }
  store_sums(t, sum);
}

// The same for S neighbouring taps that move by kStep pixels: every pixel is read once a row (compare slide).
template <int M, int S, int kStep>
HWY_NOINLINE void depthwise_slide(const DepthwiseTile& t) {
  const Vf d;
  hn::Vec<Vf> sum[M];
  HWY_UNROLL(8) for (int i = 0; i < M; ++i) sum[i] = t.start;
  const float *in = t.in, *weights = t.weights;
  const int64_t pixel = t.in_tap;
  auto add = [&](auto&& load) {
    int in_plane = t.rows;  // rows of it that are left
    for (int rows = t.planes * t.rows; rows > 0; --rows) {
      hn::Vec<Vf> w[S];
      HWY_UNROLL(8) for (int s = 0; s < S; ++s) w[s] = hn::LoadU(d, weights + s * t.weight_tap);
      const float* p = in;
      HWY_UNROLL(32) for (int i = 0; i < (M - 1) * kStep + S; ++i, p += pixel) {
        const auto x = load(p);
        HWY_UNROLL(8) for (int s = 0; s < S; ++s) {
          const int j = (i - s) / kStep;
          if (i >= s && j < M && j * kStep == i - s) sum[j] = hn::MulAdd(x, w[s], sum[j]);
        }
      }
      in += t.in_row, weights += t.weight_row;
      if (--in_plane == 0)
        in_plane = t.rows, in += t.in_plane - t.rows * t.in_row, weights += t.weight_plane - t.rows * t.weight_row;
    }
  };
  if (t.count == kLanes) add([d](const float* p) { return hn::LoadU(d, p); });
  else add([&](const float* p) { return load_first(p, t.count); });
  store_sums(t, sum);
}
constexpr int kDepthwiseImpl = 8;  // outputs of a tile
DepthwiseFunction depthwise_function(const Axis& x) {
  const int taps = x.in_tap == 1 ? x.taps : 0;
  if (x.in_step == 1 && taps == 1) return depthwise_slide<kDepthwiseImpl, 1, 1>;
  if (x.in_step == 1 && taps == 2) return depthwise_slide<kDepthwiseImpl, 2, 1>;
  if (x.in_step == 1 && taps == 3) return depthwise_slide<kDepthwiseImpl, 3, 1>;
  if (x.in_step == 1 && taps == 5) return depthwise_slide<kDepthwiseImpl, 5, 1>;
  if (x.in_step == 2 && taps == 3) return depthwise_slide<kDepthwiseImpl, 3, 2>;
  if (x.in_step == 2 && taps == 5) return depthwise_slide<kDepthwiseImpl, 5, 2>;
  return depthwise_tile<kDepthwiseImpl>;
}

// w[c][t][r][s] as [tap z][tap y][tap x][channels, padded].
void pack_depthwise(const Gather& g, const float* w, float* packed) {
  const int64_t width = g.padded_groups();
  for (int z = 0; z < g.z.taps; ++z)
    for (int y = 0; y < g.y.taps; ++y)
      for (int x = 0; x < g.x.taps; ++x, packed += width)
        for (int64_t c = 0; c < width; ++c) packed[c] = c < g.groups ? w[c * g.w_group + g.w_at(z, y, x)] : 0.0f;
}

void depthwise_row(const Gather& g, const float* weights, const Row& row) {
  const Vf d;
  const int channels = g.groups;
  const int64_t width = g.padded_groups();
  const Range inside = g.x.inside(), tz = g.z.taps_at(row.o), ty = g.y.taps_at(row.i);
  const int64_t in_row = row.input(g, tz.begin, ty.begin), out_row = row.output(g);
  const DepthwiseFunction row_function = depthwise_function(g.x);
  for (int j = 0; j < g.x.n;) {
    const bool whole = inside.begin <= j && j + kDepthwiseImpl <= inside.end;
    const Range tx = whole ? Range{0, g.x.taps} : g.x.taps_at(j);
    DepthwiseTile t{.in = g.in + (in_row * g.x.in_size + g.x.input(j, tx.begin)) * g.in_pitch,
                    .weights = weights + ((int64_t{tz.begin} * g.y.taps + ty.begin) * g.x.taps + tx.begin) * width,
                    .out = g.out + (out_row * g.x.out_size + g.x.output(j)) * g.out_pitch,
                    .planes = tz.size(),
                    .rows = ty.size(),
                    .taps = tx.size(),
                    .in_plane = int64_t{g.z.in_tap} * g.y.in_size * g.x.in_size * g.in_pitch,
                    .weight_plane = g.y.taps * g.x.taps * width,
                    .in_row = int64_t{g.y.in_tap} * g.x.in_size * g.in_pitch,
                    .in_tap = g.x.in_tap * g.in_pitch,
                    .in_step = g.x.in_step * g.in_pitch,
                    .weight_row = g.x.taps * width,
                    .weight_tap = width,
                    .out_step = g.x.out_step * g.out_pitch,
                    .limits = g.limits};
    for (int c = 0; c < channels; c += kLanes, t.in += kLanes, t.weights += kLanes, t.out += kLanes) {
      t.count = int(at_most(kLanes, channels - c));
      t.start = g.bias ? load_first(g.bias + c, t.count) : hn::Zero(d);
      (whole ? row_function : depthwise_tile<1>)(t);
    }
    j += whole ? kDepthwiseImpl : 1;
  }
}

// The floats that depthwise_gather() reads in place of w, packed_size() at most.
int64_t depthwise_size(const Gather& g) { return g.padded_groups() * g.taps(); }
void pack_depthwise(const Phases& phases, const float* w, float* packed) {
  for (const Gather& g : phases) {
    pack_depthwise(g, w, packed);
    packed += depthwise_size(g);
  }
}
// The whole of them.
void depthwise_gather(const Phases& phases, const float* packed) {
  const Gather& f = phases.first();
  if (f.rows() == 0 || f.x.n == 0) return;
  const int64_t macs = int64_t{f.x.n} * f.groups * (f.taps() + 1);
  parallel_for(f.n * f.rows(), at_least(1, (1 << 16) / macs), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const float* weights = packed;
      for (const Gather& g : phases) {
        depthwise_row(g, weights, Row(f, unit));
        weights += depthwise_size(g);
      }
    }
  });
}

// S neighbouring filter values of one vector of channels: sums over rows x columns of pixels, added to dw[s][..].
struct DepthwiseSums {
  const float *x, *dy;
  float* dw;
  int rows, columns, count;
  int64_t x_row, x_column, x_tap, dy_row, dy_column, dw_tap;
};
template <int S>
HWY_NOINLINE void depthwise_sums(const DepthwiseSums& t) {
  const Vf d;
  constexpr int kUnroll = S == 1 ? 4 : 2;  // enough sums at a time to hide the time that one takes
  hn::Vec<Vf> sum[kUnroll][S];
  for (int u = 0; u < kUnroll; ++u)
    for (int s = 0; s < S; ++s) sum[u][s] = hn::Zero(d);
  auto add = [&](auto&& load) {
    for (int row = 0; row < t.rows; ++row) {
      const float *x = t.x + row * t.x_row, *dy = t.dy + row * t.dy_row;
      auto pixel = [&](hn::Vec<Vf>(&to)[S]) {
        const auto v = load(dy);
        HWY_UNROLL(8) for (int s = 0; s < S; ++s) to[s] = hn::MulAdd(load(x + s * t.x_tap), v, to[s]);
        x += t.x_column, dy += t.dy_column;
      };
      int i = 0;
      for (; i + kUnroll <= t.columns; i += kUnroll) {
        HWY_UNROLL(4) for (int u = 0; u < kUnroll; ++u) pixel(sum[u]);
      }
      for (; i < t.columns; ++i) pixel(sum[0]);
    }
  };
  if (t.count == kLanes) add([d](const float* p) { return hn::LoadU(d, p); });
  else add([&](const float* p) { return load_first(p, t.count); });
  for (int s = 0; s < S; ++s) {
    for (int u = kUnroll / 2; u > 0; u /= 2)
      for (int i = 0; i < u; ++i) sum[i][s] = hn::Add(sum[i][s], sum[i + u][s]);
    float* to = t.dw + s * t.dw_tap;
    store_first(hn::Add(load_first(to, t.count), sum[0][s]), to, t.count);
  }
}

// dw[c][t][r][s]: per chunk of pixels [t][r][s][c], then the sum over the chunks in order; channels in slices, which are summed
// beside each other. scratch as weight_workspace says.
void depthwise_weight_gradient(const Conv2dSpec& g, const float* dy, const float* x, float* dw, float* scratch) {
  const int64_t size = g.w_size(), xp = g.x_pitch(), dyp = g.dy_pitch(), taps = int64_t{g.t} * g.r * g.s;
  const PixelBlocks cut(g, size);
  const int64_t vectors = ceil_div(g.c, kLanes), slices = at_most(vectors, ceil_div(FilterSlices::kTasks, cut.chunks));
  const FilterRows rows(g);
  const Axis ax = forward_axis(g.w, g.q(), g.s, g.stride_w, g.dil_w, g.pad_left);
  parallel_for(cut.chunks * slices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t chunk = task / slices, slice = task % slices;
      const int first = int(vectors * slice / slices) * kLanes,
                last = int(at_most(g.c, vectors * (slice + 1) / slices * kLanes));
      float* partial = scratch + chunk * size;
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int c = first; c < last; ++c) partial[tap * g.c + c] = 0;
      for (int64_t k = cut.blocks * chunk / cut.chunks; k < cut.blocks * (chunk + 1) / cut.chunks; ++k) {
        const PixelBlock block = cut.block(k);
        const Range inside = overlap(block.q, ax.inside());
        const bool together = (g.s == 3 || g.s == 5) && inside.size() > 0;
        for (int c = first; c < last; c += kLanes)
          for (int r = 0; r < rows.count; ++r) {
            const Range p = rows.pixels(block, r);
            // Pixels p x q and the filter values from (r, s) on that `sums` takes.
            auto add = [&](int s, Range q, auto&& sums) {
              if (p.size() == 0 || q.size() == 0) return;
              sums({.x = x + (rows.input(block, p, r) * g.w + ax.input(q.begin, s)) * xp + c,
                    .dy = dy + (block.row(g, p.begin) * g.q() + q.begin) * dyp + c,
                    .dw = partial + (int64_t{r} * g.s + s) * g.c + c,
                    .rows = p.size(),
                    .columns = q.size(),
                    .count = int(at_most(kLanes, g.c - c)),
                    .x_row = int64_t{g.stride_h} * g.w * xp,
                    .x_column = g.stride_w * xp,
                    .x_tap = g.dil_w * xp,
                    .dy_row = g.q() * dyp,
                    .dy_column = dyp,
                    .dw_tap = g.c});
            };
            if (together) add(0, inside, g.s == 3 ? depthwise_sums<3> : depthwise_sums<5>);
            for (int s = 0; s < g.s; ++s) {
              const Range q = overlap(block.q, ax.outputs(s));
              if (together) {  // the borders
                add(s, {q.begin, inside.begin}, depthwise_sums<1>);
                add(s, {inside.end, q.end}, depthwise_sums<1>);
              } else {
                add(s, q, depthwise_sums<1>);
              }
            }
          }
      }
    }
  });
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t c = 0; c < g.c; ++c) {
      float sum = 0;
      for (int chunk = 0; chunk < cut.chunks; ++chunk) sum += scratch[chunk * size + tap * g.c + c];
      dw[c * taps + tap] = sum;
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();
#endif
