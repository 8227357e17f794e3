// The filter's gradient of conv2d_cuda_mma.cu: dw as one matrix of K by C for each tap.
//
// A block takes 64 by 32 kAcross of it, for kTaps taps at once, and a chunk of tiles of 64 pixels of dy, whose x it loads
// once for all taps. Each of its 8 warps has 32 by 8 kAcross for each tap in registers: dy's fragments serve all taps.
// Every 2048 pixels the sums are added to what the block has in memory, so that long ones lose little; a second kernel
// adds the blocks' sums in order.
// Of a volume a block takes one tap in depth, and the planes for which it reads one.
//   3x3: a tile loads 64 rows of 256 bytes and 108 of 128 (30 KB) for 64 * 64 * 32 * 9 multiply-adds, 39 to the byte.
#pragma once
#include <algorithm>

#include "kernels/common/mma.cuh"
#include "kernels/common/precision.h"
#include "kernels/conv/conv2d_cuda.cuh"

namespace kern::kernels {
namespace {

constexpr size_t kMaxShared = 99 * 1024;  // what a block may have on any GPU since sm_80

constexpr int kWeightTile = 64, kWeightThreads = 256, kWeightDown = 64, kWeightFold = 32;

struct MmaWeights {
  Conv2dSpec g;
  int of_word;  // values: 1 float or 2 bf16
  int o, p, q;
  Tiling tiling;
  int taps_at_once, wide, chunk, chunks;

  explicit MmaWeights(const Conv2dSpec& spec, int most_chunks = 1 << 20, int values_of_word = 1)
      : g(spec.flattened()),
        of_word(values_of_word),
        o(g.o()),
        p(g.p()),
        q(g.q()),
        tiling(
            kWeightTile, p, q, [&](int n) { return span(n, g.stride_h, g.r, g.dil_h); },
            [&](int n) { return span(n, g.stride_w, g.s, g.dil_w); }),
        taps_at_once(g.r * g.s == 1   ? 1
                     : g.r * g.s <= 3 ? 3
                                      : 9),
        wide(taps_at_once == 9 ? 32 : 64) {
    const int64_t tiles = int64_t{g.n} * o * tiling.tiles();
    const int64_t wanted = ceil_div(528, blocks() * g.t);  // 4 for each multiprocessor
    chunks = int(std::min(std::min(wanted, tiles), int64_t{most_chunks}));
    chunk = chunks ? int(ceil_div(tiles, chunks)) : 0;
  }
  static constexpr int span(int n, int stride, int taps, int dil) { return (n - 1) * stride + (taps - 1) * dil + 1; }
  int64_t blocks() const {  // of one chunk and tap in depth
    return ceil_div(g.k, kWeightDown) * ceil_div(g.c, wide) * ceil_div(g.r * g.s, taps_at_once);
  }
  // Words from a pixel's row to the next one's. Floats are read value by value, rows 8 t + g apart, so that every lane
  // has its own bank; of bf16 ldmatrix reads eight rows of four words.
  static constexpr int row(int channels, int of_word) { return of_word == 1 ? channels + 8 : channels / 2 + 4; }
  constexpr int of_stage() const { return kWeightTile * row(kWeightDown, of_word) + tiling.halo * row(wide, of_word); }
  size_t shared_bytes() const { return 2 * sizeof(float) * size_t(of_stage()); }
  size_t bytes() const { return size_t(chunks) * size_t(g.w_size()) * sizeof(float); }
  bool serves() const { return shared_bytes() <= kMaxShared && tiling.tiles() * kWeightTile * 2 <= int64_t{p} * q * 5; }
};

template <bool kVolume, int kTaps, int kAcross, Precision kPrecision, class T>
// One block at a time: with 128 registers, for two, some would be spilled.
__global__ void __launch_bounds__(kWeightThreads, 1)
    conv2d_mma_weight_kernel(MmaWeights of, const T* dy, const T* x, float* parts) {
  constexpr bool kPacked = std::is_same_v<T, Bf16>;
  constexpr int kOfWord = kPacked ? 2 : 1, kOfCopy = 4 * kOfWord;  // values
  constexpr int kWide = 32 * kAcross;
  constexpr int kDyRow = MmaWeights::row(kWeightDown, kOfWord), kRow = MmaWeights::row(kWide, kOfWord);
  const Conv2dSpec& g = of.g;
  const Tiling& tiling = of.tiling;
  const int halo_w = MmaWeights::span(tiling.tile_w, g.stride_w, g.s, g.dil_w);
  const int wides = (g.c + kWide - 1) / kWide, downs = (g.k + kWeightDown - 1) / kWeightDown;
  const int c0 = blockIdx.y % wides * kWide, k0 = blockIdx.y / wides % downs * kWeightDown;
  const int tap0 = blockIdx.y / wides / downs * kTaps, taps = min(kTaps, g.r * g.s - tap0);
  const int deep = kVolume ? blockIdx.z : 0, shift_d = deep * g.dil_d - g.pad_front;
  int first_o = 0, planes = 1;
  if constexpr (kVolume) {
    first_o = shift_d < 0 ? (-shift_d + g.stride_d - 1) / g.stride_d : 0;
    planes = shift_d < g.d ? max(min(of.o, (g.d - 1 - shift_d) / g.stride_d + 1) - first_o, 0) : 0;
  }
  const int tiles = g.n * planes * tiling.down * tiling.across;
  const int chunk = kVolume ? (tiles + of.chunks - 1) / of.chunks : of.chunk;
  const int begin = blockIdx.x * chunk, end = min(begin + chunk, tiles);
  float* shared = KERN_DYNAMIC_SHARED(float);

  auto fetch = [&](int tile, int stage) {
    const int row_of_tiles = tile / tiling.across, plane = row_of_tiles / tiling.down;
    int dy_image = plane, x_image = plane;
    if constexpr (kVolume) {
      const int n = plane / planes, o = first_o + plane - n * planes;
      dy_image = n * of.o + o, x_image = n * g.d + o * g.stride_d + shift_d;
    }
    const int h0 = (row_of_tiles - plane * tiling.down) * tiling.tile_h;
    const int w0 = (tile - row_of_tiles * tiling.across) * tiling.tile_w;
    float* to = shared + stage * of.of_stage();
#pragma unroll
    for (int e = threadIdx.x; e < kWeightTile * kWeightDown / kOfCopy; e += kWeightThreads) {
      const int pixel = e / (kWeightDown / kOfCopy), k = e % (kWeightDown / kOfCopy) * kOfCopy;
      const int ph = h0 + pixel / tiling.tile_w, pw = w0 + pixel % tiling.tile_w;
      const bool inside = ph < of.p && pw < of.q && k0 + k < g.k;
      const T* from = dy + ((int64_t{dy_image} * of.p + ph) * of.q + pw) * g.dy_pitch() + k0 + k;
      copy_async<16>(to + pixel * kDyRow + k / kOfWord, inside ? from : dy, inside ? 16 : 0);
    }
    to += kWeightTile * kDyRow;
    for (int e = threadIdx.x; e < tiling.halo * (kWide / kOfCopy); e += kWeightThreads) {
      const int pixel = e / (kWide / kOfCopy), c = e % (kWide / kOfCopy) * kOfCopy, row = pixel / halo_w;
      const int ih = h0 * g.stride_h - g.pad_top + row, iw = w0 * g.stride_w - g.pad_left + pixel - row * halo_w;
      const bool inside = unsigned(ih) < unsigned(g.h) && unsigned(iw) < unsigned(g.w) && c0 + c < g.c;
      const T* from = x + ((int64_t{x_image} * g.h + ih) * g.w + iw) * g.x_pitch() + c0 + c;
      copy_async<16>(to + pixel * kRow + c / kOfWord, inside ? from : x, inside ? 16 : 0);
    }
    copy_async_commit();
  };

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int down = warp / 4 * 32, wide = warp % 4 * 8 * kAcross;
  int shift[kTaps];  // taps that are not there read as the first one does and are thrown away
#pragma unroll
  for (int t = 0; t < kTaps; ++t) {
    const int tap = t < taps ? tap0 + t : 0;
    shift[t] = (tap / g.s * g.dil_h * halo_w + tap % g.s * g.dil_w) * kRow;
  }
  Accumulator sum[kTaps][2][kAcross];
  auto clear = [&] {
#pragma unroll
    for (int t = 0; t < kTaps; ++t)
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < kAcross; ++j) sum[t][i][j] = {};
  };
  // Adds the sums to the block's part, or begins it with them.
  parts += blockIdx.x * g.w_size();
  auto fold = [&](bool first) {
#pragma unroll
    for (int t = 0; t < kTaps; ++t)
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < kAcross; ++j)
#pragma unroll
          for (int l = 0; l < 4; l += 2) {
            const int k = k0 + down + i * 16 + lane / 4 + l * 4, c = c0 + wide + j * 8 + lane % 4 * 2;
            if (t >= taps || k >= g.k || c >= g.c) continue;
            const int64_t tap = int64_t{kVolume ? k * g.t + deep : k} * g.r * g.s + tap0 + t;
            float* to = parts + tap * g.c + c;
            Pack<2> v{{sum[t][i][j].c[l], sum[t][i][j].c[l + 1]}};
            if (!first) {
              const Pack<2> before = load<2>(to);
              v.v[0] += before.v[0], v.v[1] += before.v[1];
            }
            store(to, v);
          }
  };

  clear();
  if (begin < end) fetch(begin, 0);
  for (int tile = begin, stage = 0; tile < end; ++tile, stage ^= 1) {
    if (tile + 1 < end) {
      fetch(tile + 1, stage ^ 1);
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    __syncthreads();
    const float *tile_dy = shared + stage * of.of_stage(), *tile_x = tile_dy + kWeightTile * kDyRow;
    if constexpr (kPacked) {
      // Of dy and x, whose rows are pixels, ldmatrix gives transposed fragments: 16 pixels to an mma.
#pragma unroll 1
      for (int pixel = 0; pixel < kWeightTile; pixel += 16) {
        const int mine = pixel + lane / 16 * 8 + lane % 8, of_x = pixel + lane / 8 % 2 * 8 + lane % 8;
        uint32_t a[2][4];
#pragma unroll
        for (int i = 0; i < 2; ++i)
          load_matrices_transposed(a[i], tile_dy + mine * kDyRow + (down + i * 16 + lane / 8 % 2 * 8) / 2);
        const float* at =
            tile_x + wide / 2 + (of_x / tiling.tile_w * g.stride_h * halo_w + of_x % tiling.tile_w * g.stride_w) * kRow;
#pragma unroll
        for (int t = 0; t < kTaps; ++t) {
          uint32_t b[kAcross][2];
#pragma unroll
          for (int j = 0; j < kAcross; ++j) load_matrices_transposed(b[j], at + shift[t] + j * 4);
          mma_packed(sum[t], a, b);
        }
      }
    } else {
      const float* of_dy = tile_dy + lane % 4 * kDyRow + down + lane / 4;
      const float* of_x = tile_x + lane % 4 * g.stride_w * kRow + wide + lane / 4;
#pragma unroll 1
      for (int pixel = 0; pixel < kWeightTile; pixel += 8) {
        uint32_t a[2][4];
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
          for (int l = 0; l < 4; ++l)
            a[i][l] = __float_as_uint(of_dy[(pixel + l / 2 * 4) * kDyRow + i * 16 + l % 2 * 8]);
        const float* at =
            of_x + (pixel / tiling.tile_w * g.stride_h * halo_w + pixel % tiling.tile_w * g.stride_w) * kRow;
#pragma unroll
        for (int t = 0; t < kTaps; ++t) {
          uint32_t b[kAcross][2];
#pragma unroll
          for (int j = 0; j < kAcross; ++j)
#pragma unroll
            for (int l = 0; l < 2; ++l) b[j][l] = __float_as_uint(at[shift[t] + l * 4 * g.stride_w * kRow + j * 8]);
          mma_floats<kPrecision>(sum[t], a, b);
        }
      }
    }
    __syncthreads();  // the next but one is loaded to where this one lay
    if ((tile - begin + 1) % kWeightFold == 0 && tile + 1 < end) fold(tile - begin + 1 == kWeightFold), clear();
  }
  fold(end - begin <= kWeightFold);
}

template <Precision kPrecision, int kTaps, int kAcross, class T>
void run_weights(const Exec& exec, const MmaWeights& of, const T* dy, const T* x, float* parts) {
  const LaunchConfig config{.grid = dim3(unsigned(of.chunks), unsigned(of.blocks()), unsigned(of.g.t)),
                            .block = kWeightThreads,
                            .shared_bytes = of.shared_bytes(),
                            .stream = stream_of(exec)};
  if (of.g.volume())
    KERN_LAUNCH((conv2d_mma_weight_kernel<true, kTaps, kAcross, kPrecision, T>), config, of, dy, x, parts);
  else KERN_LAUNCH((conv2d_mma_weight_kernel<false, kTaps, kAcross, kPrecision, T>), config, of, dy, x, parts);
}
template <Precision kPrecision, class T>
void run_weights(const Exec& exec, const MmaWeights& of, const T* dy, const T* x, float* dw) {
  float* parts = static_cast<float*>(exec.scratch);
  if (of.taps_at_once == 9) run_weights<kPrecision, 9, 1>(exec, of, dy, x, parts);
  else if (of.taps_at_once == 3) run_weights<kPrecision, 3, 2>(exec, of, dy, x, parts);
  else run_weights<kPrecision, 1, 2>(exec, of, dy, x, parts);
  add_chunks(exec, of.g.w_size(), of.chunks, parts, dw);
}

template <Precision kPrecision, class T>
void backward_weight(const Exec& exec, const Conv2dSpec& g, int most_chunks, const T* dy, const T* x, float* dw) {
  constexpr int kOfCopy = 16 / sizeof(T);
  const MmaWeights of(g, most_chunks, kOfCopy / 4);
  if (!of.serves() || !packs_fit(kOfCopy, {{x, g.x_pitch()}, {dy, g.dy_pitch()}}, kOfCopy))
    return weight_cuda(exec, g, output_of(g), dy, x, dw);
  run_weights<kPrecision>(exec, of, dy, x, dw);
}

}  // namespace
}  // namespace kern::kernels
