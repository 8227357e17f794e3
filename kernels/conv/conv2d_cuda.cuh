// What conv2d's CUDA implementations share: both directions as one kind of gather, filters that are summed in chunks, and the
// bias' gradient.
#pragma once
#include <numeric>

#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"
#include "kernels/common/late_sums.h"
#include "kernels/conv/conv2d.h"

namespace kern::kernels {

// One axis of a gather. Output o reads, at tap t, the input
//   forward:  o * stride - pad + t * dil
//   backward: (o + pad - t * dil) / stride, where that is whole
// Backward's outputs fall into `stride` phases (o % stride) whose taps are the same ones, and within a phase both
// directions are alike: the phase's output a reads at a * scale + offset + i * advance for its i-th tap.
struct GatherPhase {
  int first, step, count;   // the phase's outputs: first + a * step for a < count
  int tap, tap_step, taps;  // its taps: tap + i * tap_step for i < taps
  int scale, offset, advance;
};
struct GatherAxis {
  int in, out, taps, stride, dil, pad, common;  // common: the greatest divisor of stride and dil
  bool backward;

  constexpr int phases() const { return backward ? stride : 1; }
  constexpr int most_outputs() const { return backward ? (out + stride - 1) / stride : out; }  // of any phase
  constexpr GatherPhase phase(int at) const {
    if (!backward)
      return {.first = 0,
              .step = 1,
              .count = out,
              .tap = 0,
              .tap_step = 1,
              .taps = taps,
              .scale = stride,
              .offset = -pad,
              .advance = dil};
    const int turns = stride / common;  // one tap in so many is the phase's
    int tap = 0;
    while (tap < turns && (at + pad - tap * dil) % stride) ++tap;
    return {.first = at,
            .step = stride,
            .count = at < out ? (out - at + stride - 1) / stride : 0,
            .tap = tap,
            .tap_step = turns,
            .taps = tap < turns && tap < taps ? (taps - tap + turns - 1) / turns : 0,
            .scale = 1,
            .offset = (at + pad - tap * dil) / stride,
            .advance = -dil / common};
  }
  bool operator==(const GatherAxis&) const = default;
};
// Of planes, where there is one, or none reads another: a batch of images.
constexpr GatherAxis one_plane() {
  return {.in = 1, .out = 1, .taps = 1, .stride = 1, .dil = 1, .pad = 0, .common = 1, .backward = false};
}

struct GatherExtent {  // of an input
  int d, h, w;
};
// out[pixel, k] = bias[k] + sum over taps and c of filter[k, tap, c] * in[pixel's tap, c], for each group; plus
// added[pixel, k], of out's type, where there is one.
struct Gather {
  int n, in_c, out_c, groups;  // channels of one group
  GatherAxis d, h, w;
  int64_t in_pitch, out_pitch;
  int64_t w_in, w_tap, w_out, w_group;  // steps in the filter's memory
  const void* added = nullptr;
  int64_t added_pitch = 0;

  bool volume() const { return d != one_plane(); }
  // What depends on d is known beforehand in a kernel that is compiled for images.
  template <bool kVolume = true>
  constexpr int phases() const {
    return (kVolume ? d.phases() : 1) * h.phases() * w.phases();
  }
  constexpr GatherExtent extent() const { return {d.in, h.in, w.in}; }
  constexpr int taps() const { return d.taps * h.taps * w.taps; }
  constexpr int64_t most_pixels() const { return int64_t{n} * d.most_outputs() * h.most_outputs() * w.most_outputs(); }
};

inline void check_pixels(int64_t in, int64_t out) {
  constexpr int64_t kMax = 1 << 30;
  check(in <= kMax && out <= kMax, "convolution on CUDA: a batch of images has ", in, " pixels going in and ", out,
        " coming out; kernels count up to ", kMax, ": give it fewer images at a time");
}
// What comes out along each axis: a transposed convolution may end before the convolution whose adjoint it is.
struct ConvOutput {
  int o, p, q;
};
constexpr ConvOutput output_of(const Conv2dSpec& g) { return {g.o(), g.p(), g.q()}; }
// As images, if it can be that.
constexpr Conv2dSpec flattened(const Conv2dSpec& g, ConvOutput& out) {
  if (out.o != g.d) return g;
  const Conv2dSpec flat = g.flattened();
  if (flat.d != g.d) out.o = 1;
  return flat;
}
inline Gather forward_gather(const Conv2dSpec& spec, ConvOutput out) {
  const Conv2dSpec g = flattened(spec, out);
  check_pixels(g.x_rows(), int64_t{g.n} * out.o * out.p * out.q);
  auto axis = [](int in, int to, int taps, int stride, int dil, int pad) {
    return GatherAxis{in, to, taps, stride, dil, pad, std::gcd(stride, dil), false};
  };
  return {.n = g.n,
          .in_c = g.cg(),
          .out_c = g.kg(),
          .groups = g.groups,
          .d = g.volume() ? axis(g.d, out.o, g.t, g.stride_d, g.dil_d, g.pad_front) : one_plane(),
          .h = axis(g.h, out.p, g.r, g.stride_h, g.dil_h, g.pad_top),
          .w = axis(g.w, out.q, g.s, g.stride_w, g.dil_w, g.pad_left),
          .in_pitch = g.x_pitch(),
          .out_pitch = g.y_pitch(),
          .w_in = 1,
          .w_tap = g.cg(),
          .w_out = int64_t{g.t} * g.r * g.s * g.cg(),
          .w_group = int64_t{g.kg()} * g.t * g.r * g.s * g.cg()};
}
inline Gather forward_gather(const Conv2dSpec& g) { return forward_gather(g, output_of(g)); }
inline Gather backward_gather(const Conv2dSpec& g, ConvOutput of_forward) {
  Gather out = forward_gather(g, of_forward);
  std::swap(out.in_c, out.out_c);
  std::swap(out.w_in, out.w_out);
  for (GatherAxis* axis : {&out.d, &out.h, &out.w}) {
    if (axis == &out.d && !out.volume()) continue;
    std::swap(axis->in, axis->out);
    axis->backward = true;
  }
  out.in_pitch = g.dy_pitch();
  out.out_pitch = g.dx_pitch();
  return out;
}
inline Gather backward_gather(const Conv2dSpec& g) { return backward_gather(g, output_of(g)); }

inline Gather backward_gather_added(const Conv2dSpec& g, const void* base, int64_t pitch) {
  Gather out = backward_gather(g);
  out.added = base;
  out.added_pitch = pitch;
  return out;
}

// What conv2d.cu does, for any gather and for dy of any depth, height and width; bias may be null.
// T, float or Bf16: what the arrays but the filter and its bias are in memory.
template <class T>
void gather_cuda(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out);
size_t weight_cuda_bytes(const Conv2dSpec& g, ConvOutput of_dy);
template <class T>
void weight_cuda(const Exec& exec, const Conv2dSpec& g, ConvOutput of_dy, const T* dy, const T* x, float* dw);

// An image of h by w pixels cut into tiles of so many, of which each reads `halo` others: the fewest tiles, then the
// smallest halo. span(n): what n neighbours read along an axis. most_halo: none reads more; without any, tile_w is 0.
struct Tiling {
  int tile_h = 0, tile_w = 0, down = 0, across = 0, halo = 0;

  template <class H, class W>
  Tiling(int pixels, int h, int w, const H& span_h, const W& span_w, int64_t most_halo = int64_t{1} << 62) {
    for (int width = 8; width <= pixels; width *= 2) {
      const int height = pixels / width, rows = int(ceil_div(h, height)), columns = int(ceil_div(w, width));
      const int reads = span_h(height) * span_w(width);
      const int64_t tiles = int64_t{rows} * columns, best = int64_t{down} * across;
      if (reads > most_halo || (tile_w && (tiles > best || (tiles == best && reads >= halo)))) continue;
      tile_h = height, tile_w = width, down = rows, across = columns, halo = reads;
    }
  }
  constexpr int64_t tiles() const { return int64_t{down} * across; }
};

// --- a gather's threads: kVolume says whether there is more than one plane, and images pay nothing for what does not ---

struct GatherPhases {
  GatherPhase d, h, w;
};
template <bool kVolume>
__device__ __forceinline__ GatherPhases gather_phases(const Gather& g, int index) {
  const int row = index / g.w.phases();
  if constexpr (kVolume) {
    const int plane = row / g.h.phases();
    return {g.d.phase(plane), g.h.phase(row - plane * g.h.phases()), g.w.phase(index % g.w.phases())};
  } else {
    return {one_plane().phase(0), g.h.phase(row), g.w.phase(index % g.w.phases())};
  }
}
__device__ __forceinline__ int taps_of(const GatherPhases& p) { return p.d.taps * p.h.taps * p.w.taps; }
__device__ __forceinline__ int outputs_of(const Gather& g, const GatherPhases& p) {
  return g.n * p.d.count * p.h.count * p.w.count;
}

// A tap of a phase, and its place among the filter's.
struct GatherTap {
  int t, r, s;
};
template <bool kVolume>
__device__ __forceinline__ GatherTap gather_tap(const GatherPhases& p, int index) {
  const int row = index / p.w.taps, t = kVolume ? row / p.h.taps : 0;
  return {t, row - t * p.h.taps, index - row * p.w.taps};
}
template <bool kVolume>
__device__ __forceinline__ int64_t tap_in_filter(const Gather& g, const GatherPhases& p, const GatherTap& tap) {
  int64_t row = int64_t{p.h.tap + tap.r * p.h.tap_step};
  if constexpr (kVolume) row += int64_t{p.d.tap + tap.t * p.d.tap_step} * g.h.taps;
  return row * g.w.taps + p.w.tap + tap.s * p.w.tap_step;
}

// A pixel of the output as the taps see it: its image's (or volume's) first row in the input, and where tap 0 reads.
template <bool kVolume>
struct GatherPixel {
  int image = 0, h = 0, w = 0;

  constexpr GatherPixel moved(int, int down, int across) const { return {image, h + down, w + across}; }
  constexpr bool inside(const GatherExtent& in) const {
    return unsigned(h) < unsigned(in.h) && unsigned(w) < unsigned(in.w);
  }
  constexpr int row(const GatherExtent& in) const { return image + h * in.w + w; }  // of one inside
};
template <>
struct GatherPixel<true> {
  int image = 0, h = 0, w = 0, d = 0;

  constexpr GatherPixel moved(int deep, int down, int across) const { return {image, h + down, w + across, d + deep}; }
  constexpr bool inside(const GatherExtent& in) const {
    return unsigned(d) < unsigned(in.d) && unsigned(h) < unsigned(in.h) && unsigned(w) < unsigned(in.w);
  }
  constexpr int row(const GatherExtent& in) const { return image + (d * in.h + h) * in.w + w; }
};
// An index among a phase's outputs; one outside reads nothing.
template <bool kVolume>
__device__ __forceinline__ GatherPixel<kVolume> gather_pixel(const Gather& g, const GatherPhases& p, int index) {
  constexpr int kOutside = -(1 << 30);
  if (index >= outputs_of(g, p)) return {0, kOutside, kOutside};
  const int row = index / p.w.count, plane = row / p.h.count;
  const int h = (row - plane * p.h.count) * p.h.scale + p.h.offset,
            w = (index - row * p.w.count) * p.w.scale + p.w.offset;
  if constexpr (kVolume) {
    const int n = plane / p.d.count;
    return {n * g.d.in * g.h.in * g.w.in, h, w, (plane - n * p.d.count) * p.d.scale + p.d.offset};
  } else {
    return {plane * g.h.in * g.w.in, h, w};
  }
}
// The same of an index among dy's pixels, for sums over them.
template <bool kVolume>
__device__ __forceinline__ GatherPixel<kVolume> pixel_of_dy(const Conv2dSpec& g, const ConvOutput& of_dy, int index) {
  const int row = index / of_dy.q, plane = row / of_dy.p;
  const int h = (row - plane * of_dy.p) * g.stride_h - g.pad_top, w = (index - row * of_dy.q) * g.stride_w - g.pad_left;
  if constexpr (kVolume) {
    const int n = plane / of_dy.o;
    return {n * g.d * g.h * g.w, h, w, (plane - n * of_dy.o) * g.stride_d - g.pad_front};
  } else {
    return {plane * g.h * g.w, h, w};
  }
}
// Where a phase's output lies, as a row of values.
template <bool kVolume>
__device__ __forceinline__ int64_t gather_row(const Gather& g, const GatherPhases& p, int index) {
  const int row = index / p.w.count, plane = row / p.h.count;
  int64_t to = plane;
  if constexpr (kVolume) {
    const int n = plane / p.d.count;
    to = int64_t{n} * g.d.out + p.d.first + (plane - n * p.d.count) * p.d.step;
  }
  return (to * g.h.out + p.h.first + (row - plane * p.h.count) * p.h.step) * g.w.out + p.w.first +
         (index - row * p.w.count) * p.w.step;
}

// v + what is to be added to results k .. k + W - 1 of an output's row, of which `there` are there.
template <int W, class T>
__device__ __forceinline__ void add_given(const Gather& g, int64_t row, int k, int there, Pack<W>& v) {
  if (!g.added) return;
  const T* from = static_cast<const T*>(g.added) + row * g.added_pitch + k;
  if (there >= W && reinterpret_cast<uintptr_t>(from) % (sizeof(T) * W) == 0) {
    const Pack<W> given = load<W>(from);
#pragma unroll
    for (int l = 0; l < W; ++l) v.v[l] += given.v[l];
    return;
  }
#pragma unroll
  for (int l = 0; l < W; ++l)
    if (l < there) v.v[l] += load<1>(from + l).v[0];
}

// --- sums over chunks of pixels ---

// out[i] = the sum of parts[chunk][i] in double, for the 32 results i of a block: 8 threads for each take every
// eighth chunk. No chunk gives 0.
template <class T>
__device__ __forceinline__ void add_chunks_of_block(int64_t block, int64_t n, int chunks, const T* parts, float* out) {
  KERN_SHARED(double[8][32], of_lane);
  const int64_t i = block * 32 + threadIdx.x;
  double sum = 0;
  if (i < n)
    for (int part = threadIdx.y; part < chunks; part += 8) sum += parts[part * n + i];
  of_lane[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y || i >= n) return;
  for (int lane = 1; lane < 8; ++lane) sum += of_lane[lane][threadIdx.x];
  out[i] = float(sum);
}
template <class T>
__global__ void __launch_bounds__(256) add_chunks_kernel(int64_t n, int chunks, const T* parts, float* out) {
  add_chunks_of_block(blockIdx.x, n, chunks, parts, out);
}
// At once, or noted where the caller gathers such sums.
template <class T>
void add_chunks(const Exec& exec, int64_t n, int chunks, const T* parts, float* out) {
  if (LateSums* const late = late_sums()) {
    late->chunks.push_back(
        {.n = n, .chunks = chunks, .of_doubles = std::is_same_v<T, double>, .parts = parts, .out = out});
    return;
  }
  KERN_LAUNCH(add_chunks_kernel<T>,
              {.grid = unsigned(ceil_div(n, 32)), .block = dim3(32, 8), .stream = stream_of(exec)}, n, chunks, parts,
              out);
}

// Column sums of dy [rows, K]: a block takes a chunk of rows and up to 32 columns, its threads side by side over
// columns first, so that few channels are read densely as well. Reads every value once: bound by memory.
struct BiasSums {
  int64_t rows, chunk;
  int k, columns, chunks;  // columns of a block: a power of two

  BiasSums(int64_t rows_of_dy, int channels) : rows(rows_of_dy), k(channels), columns(1) {
    while (columns < 32 && columns < k) columns *= 2;
    const int64_t lanes = 256 / columns, wanted = ceil_div(rows, 16 * lanes);
    chunks = int(wanted < 512 ? wanted : 512);
    chunk = chunks ? ceil_div(rows, chunks) : 0;
  }
  size_t bytes() const { return size_t(chunks) * size_t(k) * sizeof(double); }
};
template <class T>
__global__ void __launch_bounds__(256) bias_chunks_kernel(BiasSums g, int64_t pitch, const T* dy, double* parts) {
  KERN_SHARED(double[256], of_thread);
  const int column = blockIdx.y * g.columns + threadIdx.x % g.columns, lanes = 256 / g.columns;
  const int64_t begin = blockIdx.x * g.chunk, end = begin + g.chunk < g.rows ? begin + g.chunk : g.rows;
  double total = 0;
  float few = 0;
  int count = 0;
  if (column < g.k)
    for (int64_t row = begin + threadIdx.x / g.columns; row < end; row += lanes) {
      few += load<1>(dy + row * pitch + column).v[0];
      if (++count == 16) total += few, few = 0, count = 0;
    }
  of_thread[threadIdx.x] = total + few;
  for (int half = 128; half >= g.columns; half /= 2) {
    __syncthreads();
    if (int(threadIdx.x) < half) of_thread[threadIdx.x] += of_thread[threadIdx.x + half];
  }
  if (int(threadIdx.x) < g.columns && column < g.k) parts[int64_t{blockIdx.x} * g.k + column] = of_thread[threadIdx.x];
}
template <class T>
void bias_cuda(const Exec& exec, int64_t rows, int k, int64_t pitch, const T* dy, float* db) {
  const BiasSums sums(rows, k);
  double* parts = static_cast<double*>(exec.scratch);
  KERN_LAUNCH(bias_chunks_kernel<T>,
              {.grid = dim3(unsigned(sums.chunks), unsigned(ceil_div(k, sums.columns))),
               .block = 256,
               .stream = stream_of(exec)},
              sums, pitch, dy, parts);
  add_chunks(exec, k, sums.chunks, parts, db);
}

}  // namespace kern::kernels
