// The filter's gradient of images kept as bf16, on tensor cores, for filters of 3x3, 1x3 and one tap by stride 1
// (kernels/conv/conv2d_cuda_mma_weights.cuh has every other case): dw as one matrix of K by C for each tap.
//
// A block of four warps takes 64 by 16 kAcross of it, for all taps, and a chunk of the tiles of 128 pixels of dy, whose
// x it loads once for all taps. Each warp has 32 by 8 kAcross for each tap in registers. Every 2048 pixels the sums are
// added to what the block has in memory, so that long ones lose little; a second kernel adds the blocks' sums in order.
//   dy    [8][kPlaneDy] of 8 channels of a pixel
//   halo  [2 kAcross][kPlane] of 8 channels of a pixel: eight neighbours are 128 neighbouring bytes for ldmatrix
// A thread copies the same places of every tile; which of them lie inside the image is a bit for each, and a mask for
// the tiles at each edge, so that nothing is divided or compared for a copy.
//   3x3: a tile is 288 mma of a warp for 88 ldmatrix and 14 copies.
#include <algorithm>

#include "kernels/common/mma.cuh"
#include "kernels/conv/conv2d_cuda.cuh"
#include "kernels/conv/conv2d_cuda_mma_bf16.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 128, kTile = 128, kDown = 64;  // of a block: threads, pixels, channels of dy
constexpr int kTilesOfSum = 16;
constexpr int kBlocks = 264;  // two for each of 132 multiprocessors, all there at once
constexpr int most_halo(int r, int s) { return kTile + (r * s == 1 ? 0 : r == 3 ? 64 : 32); }

template <int kR, int kS, int kAcross>
struct WeightShape {
  static constexpr int kTaps = kR * kS, kWide = 16 * kAcross, kHalo = most_halo(kR, kS);
  static constexpr int kChunksDy = kDown / 8, kChunks = kWide / 8;  // of 8 channels: 16 bytes
  static constexpr int kCopiesDy = kTile * kChunksDy / kThreads, kCopies = kHalo * kChunks / kThreads;
  static_assert(kCopiesDy + kCopies <= 32);
  // A few pixels more, so that neighbouring threads, which copy a pixel's chunks, write to different banks.
  static constexpr int kPlaneDy = kTile + 8 / kChunksDy, kPlane = kHalo + 8 / kChunks;
  static constexpr int kDyBytes = kChunksDy * kPlaneDy * 16, kStageBytes = kDyBytes + kChunks * kPlane * 16;
};

struct FewTapWeights {
  Conv2dSpec g;
  int p, q;
  Tiling tiling;
  int wide, log_w, tiles, chunk, chunks;
  int step_dy[kTile / 16];  // from a tile's first pixel of dy to every sixteenth one, in values

  explicit FewTapWeights(const Conv2dSpec& spec, int most_chunks = 1 << 20)
      : g(spec.flattened()),
        p(g.p()),
        q(g.q()),
        tiling(
            kTile, p, q, [&](int n) { return n + g.r - 1; }, [&](int n) { return n + g.s - 1; }, most_halo(g.r, g.s)),
        wide(g.r == 3 ? 32 : 64),
        log_w(0) {
    while (1 << log_w < tiling.tile_w) ++log_w;
    for (int pixel = 0; pixel < kTile; pixel += 16)
      step_dy[pixel / 16] = ((pixel >> log_w) * q + pixel % (1 << log_w)) * int(g.dy_pitch());
    tiles = int(g.n * tiling.tiles());
    chunks = int(std::clamp<int64_t>(kBlocks / blocks(), 1, std::max(std::min(tiles, most_chunks), 1)));
    chunk = int(ceil_div(tiles, chunks));
    chunks = chunk ? int(ceil_div(tiles, chunk)) : 0;
  }
  int64_t blocks() const { return ceil_div(g.k, kDown) * ceil_div(g.c, wide); }  // of one chunk
  size_t bytes() const { return size_t(chunks) * size_t(g.w_size()) * sizeof(float); }
  // Only tiles at an edge may read beyond it.
  bool serves() const {
    const bool known = (g.r == 3 || g.r == 1) && (g.s == 3 || (g.s == 1 && g.r == 1));
    if (!known || g.t != 1 || g.d != 1 || g.groups != 1 || g.stride_h != 1 || g.stride_w != 1 || g.n < 1) return false;
    if ((g.r > 1 && g.dil_h != 1) || (g.s > 1 && g.dil_w != 1) || g.c % 8 || g.k % 8 || !tiling.tile_w) return false;
    const auto inner = [](int before, int after, int tile, int of, int there) {
      return before <= tile && after <= there - (of - 1) * tile;
    };
    return inner(g.pad_top, g.pad_bottom, tiling.tile_h, tiling.down, p) &&
           inner(g.pad_left, g.pad_right, tiling.tile_w, tiling.across, q) &&
           tiling.tiles() * kTile * 2 <= int64_t{p} * q * 5 &&
           std::max(int64_t{g.h} * g.w * g.x_pitch(), int64_t{p} * q * g.dy_pitch()) < int64_t{1} << 30;
  }
};

// A tile's place, from one to the next.
struct TilePlace {
  int image, down, across;
};

template <int kR, int kS, int kAcross>
__global__ void __launch_bounds__(kThreads, 2)
    conv2d_taps_weight_kernel(FewTapWeights of, int stages, const Bf16* dy, const Bf16* x, float* parts) {
  using Shape = WeightShape<kR, kS, kAcross>;
  constexpr int kTaps = Shape::kTaps, kCopiesDy = Shape::kCopiesDy, kCopies = Shape::kCopies;
  const Conv2dSpec& g = of.g;
  const Tiling& tiling = of.tiling;
  const int halo_w = tiling.tile_w + kS - 1, dy_pitch = int(g.dy_pitch()), x_pitch = int(g.x_pitch());
  const int wides = (g.c + Shape::kWide - 1) / Shape::kWide, down_block = blockIdx.y / wides;
  const int c0 = (blockIdx.y - down_block * wides) * Shape::kWide, k0 = down_block * kDown;
  const int begin = blockIdx.x * of.chunk, end = min(begin + of.chunk, of.tiles);
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  unsigned char* const shared = KERN_DYNAMIC_SHARED(unsigned char);

  // This thread's copies, from the tile's first pixel on: dy's in the lowest bits.
  static_assert(kThreads / Shape::kChunksDy == 16);
  int from_dy = 0, from_x[kCopies];
  uint32_t here = 0, of_top = 0, of_bottom = 0, of_left = 0, of_right = 0;  // and what of them an edge lets be
  const int last_h = of.p - (tiling.down - 1) * tiling.tile_h, last_w = of.q - (tiling.across - 1) * tiling.tile_w;
#pragma unroll
  for (int i = 0; i < kCopiesDy; ++i) {
    const int pixel = thread / Shape::kChunksDy + i * (kThreads / Shape::kChunksDy), k = thread % Shape::kChunksDy * 8;
    const int row = pixel >> of.log_w, column = pixel - (row << of.log_w);
    if (i == 0) from_dy = (row * of.q + column) * dy_pitch + k0 + k;
    here |= (k0 + k < g.k ? 1u : 0u) << i;
    of_top |= 1u << i, of_left |= 1u << i;
    of_bottom |= (row < last_h ? 1u : 0u) << i;
    of_right |= (column < last_w ? 1u : 0u) << i;
  }
#pragma unroll
  for (int i = 0; i < kCopies; ++i) {
    const int pixel = thread / Shape::kChunks + i * (kThreads / Shape::kChunks), c = thread % Shape::kChunks * 8;
    const int row = pixel / halo_w, column = pixel - row * halo_w, bit = kCopiesDy + i;
    from_x[i] = (row * g.w + column) * x_pitch + c0 + c;
    here |= (c0 + c < g.c && pixel < tiling.halo ? 1u : 0u) << bit;
    of_top |= (row >= g.pad_top ? 1u : 0u) << bit;
    of_left |= (column >= g.pad_left ? 1u : 0u) << bit;
    of_bottom |= ((tiling.down - 1) * tiling.tile_h + row - g.pad_top < g.h ? 1u : 0u) << bit;
    of_right |= ((tiling.across - 1) * tiling.tile_w + column - g.pad_left < g.w ? 1u : 0u) << bit;
  }
  unsigned char* const to_dy =
      shared + thread % Shape::kChunksDy * (Shape::kPlaneDy * 16) + thread / Shape::kChunksDy * 16;
  unsigned char* const to_x =
      shared + Shape::kDyBytes + thread % Shape::kChunks * (Shape::kPlane * 16) + thread / Shape::kChunks * 16;

  const int first_row = begin / tiling.across, first_image = first_row / tiling.down;
  TilePlace at{first_image, first_row - first_image * tiling.down, begin - first_row * tiling.across};
  const auto begin_copies = [&](int stage) {
    uint32_t inside = here;
    if (at.down == 0) inside &= of_top;
    if (at.down == tiling.down - 1) inside &= of_bottom;
    if (at.across == 0) inside &= of_left;
    if (at.across == tiling.across - 1) inside &= of_right;
    const int h0 = at.down * tiling.tile_h, w0 = at.across * tiling.tile_w;
    const Bf16* tile_dy = dy + (int64_t{at.image} * of.p * of.q + h0 * of.q + w0) * dy_pitch;
    const Bf16* tile_x = x + (int64_t{at.image} * g.h * g.w + (h0 - g.pad_top) * g.w + w0 - g.pad_left) * x_pitch;
    const int to = stage * Shape::kStageBytes;
#pragma unroll
    for (int i = 0; i < kCopiesDy; ++i)
      copy_async<16>(to_dy + to + i * (kThreads / Shape::kChunksDy * 16), tile_dy + from_dy + of.step_dy[i],
                     inside & 1u << i ? 16 : 0);
#pragma unroll
    for (int i = 0; i < kCopies; ++i)
      copy_async<16>(to_x + to + i * (kThreads / Shape::kChunks * 16), tile_x + from_x[i],
                     inside & 1u << (kCopiesDy + i) ? 16 : 0);
    if (++at.across == tiling.across) {
      at.across = 0;
      if (++at.down == tiling.down) at.down = 0, ++at.image;
    }
  };

  // Where this lane's rows of ldmatrix begin in a stage: of dy 16 pixels by 16 channels, of the halo at the first tap.
  const int down = warp / 2 * 32, wide = warp % 2 * 8 * kAcross;
  const int a_at = ((down / 8 + lane / 8 % 2) * Shape::kPlaneDy + lane / 16 * 8 + lane % 8) * 16;
  const int b_pixel = lane % 16;
  const int b_at = Shape::kDyBytes + ((wide / 8 + lane / 16) * Shape::kPlane + b_pixel) * 16;
  Accumulator sum[kTaps][2][kAcross];
  const int first_k = k0 + down + lane / 4, first_c = c0 + wide + lane % 4 * 2;
  parts += blockIdx.x * g.w_size() + int64_t{first_k} * kTaps * g.c + first_c;

  for (int tile = begin; tile < begin + stages - 1; ++tile) {
    if (tile < end) begin_copies(tile - begin);
    copy_async_commit();
  }
  int stage = 0, free_stage = stages - 1;
  for (int tile = begin, first = 1; tile < end; first = 0) {
#pragma unroll
    for (int t = 0; t < kTaps; ++t)
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < kAcross; ++j) sum[t][i][j] = {};
    for (const int stop = min(tile + kTilesOfSum, end); tile < stop; ++tile) {
      if (stages == 2) copy_async_wait<0>();
      else copy_async_wait<1>();
      __syncthreads();  // all have what they copied, and nobody reads the tile before this one any more
      if (tile + stages - 1 < end) begin_copies(free_stage);
      copy_async_commit();
      const unsigned char* const tile_dy = shared + stage * Shape::kStageBytes;
#pragma unroll 2
      for (int pixel = 0; pixel < kTile; pixel += 16) {
        uint32_t a[2][4];
#pragma unroll
        for (int i = 0; i < 2; ++i)
          load_matrices_transposed(a[i], tile_dy + a_at + (i * 2 * Shape::kPlaneDy + pixel) * 16);
        // A row of the tile has kS - 1 pixels more in the halo.
        const unsigned char* at_x = tile_dy + b_at + (((pixel + b_pixel) >> of.log_w) * (kS - 1) + pixel) * 16;
#pragma unroll
        for (int r = 0; r < kR; ++r, at_x += halo_w * 16)
#pragma unroll
          for (int s = 0; s < kS; ++s) {
            uint32_t b[kAcross][2];
#pragma unroll
            for (int j = 0; j < kAcross; j += 2) {
              uint32_t two[4];
              load_matrices_transposed(two, at_x + (j * Shape::kPlane + s) * 16);
#pragma unroll
              for (int l = 0; l < 4; ++l) b[j + l / 2][l % 2] = two[l];
            }
            mma_packed(sum[r * kS + s], a, b);
          }
      }
      free_stage = stage;
      stage = stage + 1 == stages ? 0 : stage + 1;
    }
    // Adds the sums to the block's part, or begins it with them.
#pragma unroll
    for (int t = 0; t < kTaps; ++t)
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int j = 0; j < kAcross; ++j)
#pragma unroll
          for (int l = 0; l < 4; l += 2) {
            if (first_k + i * 16 + l * 4 >= g.k || first_c + j * 8 >= g.c) continue;
            float* to = parts + ((i * 16 + l * 4) * kTaps + t) * g.c + j * 8;
            Pack<2> v{{sum[t][i][j].c[l], sum[t][i][j].c[l + 1]}};
            if (!first) {
              const Pack<2> before = load<2>(to);
              v.v[0] += before.v[0], v.v[1] += before.v[1];
            }
            store(to, v);
          }
  }
}

template <int kR, int kS, int kAcross>
void run(const Exec& exec, const FewTapWeights& of, const Bf16* dy, const Bf16* x, float* dw) {
  using Shape = WeightShape<kR, kS, kAcross>;
  float* parts = static_cast<float*>(exec.scratch);
  const int stages = std::min(3, mma_stages(Shape::kStageBytes));
  KERN_LAUNCH((conv2d_taps_weight_kernel<kR, kS, kAcross>),
              {.grid = dim3(unsigned(of.chunks), unsigned(of.blocks())),
               .block = kThreads,
               .shared_bytes = size_t(stages) * Shape::kStageBytes,
               .stream = stream_of(exec)},
              of, stages, dy, x, parts);
  add_chunks(exec, of.g.w_size(), of.chunks, parts, dw);
}

}  // namespace

size_t mma_bf16_weight_bytes(const Conv2dSpec& g) {
  const FewTapWeights of(g);
  return of.serves() ? of.bytes() : 0;
}
bool mma_bf16_weights(const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const Bf16* x, float* dw,
                      int most_chunks) {
  const FewTapWeights of(g, most_chunks);
  if (!of.serves() || !packs_fit(8, {{x, g.x_pitch()}, {dy, g.dy_pitch()}}, 8)) return false;
  if (g.r == 3) run<3, 3, 2>(exec, of, dy, x, dw);
  else if (g.s == 3) run<1, 3, 4>(exec, of, dy, x, dw);
  else run<1, 1, 4>(exec, of, dy, x, dw);
  return true;
}

}  // namespace kern::kernels
