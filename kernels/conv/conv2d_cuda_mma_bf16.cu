// Forward and backward_data of images kept as bf16, on tensor cores, for filters of 3x3, 2x2, 1x3 and one tap and
// strides of 1 and 2, 4x4 by 2 among them (kernels/conv/conv2d_cuda_mma.cu has every other case): nearly all that is
// issued is products.
//
// A block of four warps gives 64 kDown pixels of one image by 8 kAcross channels, each warp 16 kDown pixels by all of
// the channels, over stages of 16 kDepth channels in. Per stage:
//   halo    [2 kDepth][kPlane] of 8 channels of a pixel: all that the tile reads, once for all taps. Eight neighbouring
//           pixels are 128 neighbouring bytes, so ldmatrix meets every bank once without padding
//   filter  [taps][kDepth][kAcross][2] of 8 out by 8 in, as it was packed (filter_packing.h): one run of memory
// A thread's copies of the halo go to the same places in every stage, and their sources move on by as much for all of
// them; which of them lie inside the image is a bit for each. So nothing is divided or compared in the loop.
// Taps of a phase (kernels/conv/conv2d_cuda.cuh) that step backwards are packed last one first: all taps step forwards.
// An even number of taps by stride 2 are taps by stride 1 of every second pixel: one part of the sum for the even ones,
// one for the odd ones (4x4 by 2: four parts of 2x2 taps, whose halo has 17x17 pixels where 34x34 are read).
//   3x3, 64 channels: a stage of a warp is 288 mma for 72 ldmatrix and 15 copies.
#include <algorithm>

#include "kernels/common/mma.cuh"
#include "kernels/conv/conv2d_cuda.cuh"
#include "kernels/conv/conv2d_cuda_mma_bf16.h"

namespace kern::kernels {
namespace {

constexpr int kThreads = 128, kMostStages = 4, kLargeTile = 256, kSmallTile = 128;  // pixels of a tile

constexpr int most_halo(int pixels, int r, int s) { return pixels + (r * s == 1 ? 0 : r == 3 ? pixels / 2 : 64); }

// What is known of a convolution's tiles when it is compiled.
template <int kR, int kS, int kDepth, int kDown, int kAcross>
struct TapShape {
  static constexpr int kTaps = kR * kS, kPixels = 64 * kDown, kChannels = 8 * kAcross;
  static constexpr int kHalo = most_halo(kPixels, kR, kS);
  static constexpr int kChunks = 2 * kDepth;                  // of 8 channels: 16 bytes
  static constexpr int kCopies = kHalo * kChunks / kThreads;  // of a thread
  // A few pixels more, so that neighbouring threads, which copy a pixel's chunks, write to different banks.
  static constexpr int kPlane = kHalo + 8 / kChunks;
  static constexpr int kHaloBytes = kChunks * kPlane * 16, kFilterBytes = kTaps * kDepth * kAcross * 256;
  static constexpr int kStageBytes = kHaloBytes + kFilterBytes;
  static constexpr int kMostParts = kR == 3 || kS == 3 ? 1 : 4;
  static_assert(kMostParts * kCopies <= 32);
};

// One axis: taps as they are packed, and a halo of every step-th value.
struct TapAxis {
  int taps = 0, parts = 1, step = 1;
  bool backwards = false;

  explicit TapAxis(const GatherAxis& axis) {
    const GatherPhase first = axis.phase(0);
    backwards = first.advance < 0;
    for (int at = 0; at < axis.phases(); ++at) {
      const GatherPhase p = axis.phase(at);
      if (p.taps != first.taps || p.taps < 1 || p.advance * p.advance != 1) return;
    }
    if (first.taps > 1 && first.scale > 1) {
      if (first.scale != 2 || first.taps % 2) return;
      parts = 2;
    }
    taps = first.taps / parts, step = first.scale;
  }
};

// What a launch is: a gather of taps by stride 1 (or one tap), phase by phase and part by part.
struct TapGather {
  Gather g;
  TapAxis h, w;

  explicit TapGather(const Gather& gather) : g(gather), h(g.h), w(g.w) {}
  int parts() const { return h.parts * w.parts; }
  int across() const { return g.out_c > 32 ? 8 : g.out_c > 16 ? 4 : 2; }  // blocks of 8 channels out
  int depth() const { return h.taps * w.taps == 1 ? 2 : 1; }              // of a stage, 16 channels in each
  Tiling tiling(int pixels) const {
    const auto span = [](const TapAxis& axis) { return [&axis](int n) { return n + axis.taps - 1; }; };
    return Tiling(pixels, g.h.most_outputs(), g.w.most_outputs(), span(h), span(w), most_halo(pixels, h.taps, w.taps));
  }
  bool serves() const {
    const int r = h.taps, s = w.taps;
    const bool known = (r == 3 && s == 3) || (r == 2 && s == 2) || (r == 1 && (s == 3 || s == 1));
    // Offsets from a tile's first pixel are ints.
    return !g.volume() && g.groups == 1 && known && g.taps() <= 16 && g.in_c % (16 * depth()) == 0 &&
           int64_t{g.h.in} * g.w.in * g.in_pitch < int64_t{1} << 30 &&
           tiling(kSmallTile).tiles() * kSmallTile * 2 <= int64_t{g.h.most_outputs()} * g.w.most_outputs() * 5;
  }
  FilterPacking packing() const {
    const bool transposed = g.w_in != 1;
    FilterPacking p{.k = transposed ? g.in_c : g.out_c,
                    .taps = g.taps(),
                    .c = transposed ? g.out_c : g.in_c,
                    .transposed = transposed,
                    .block = 8 * across(),
                    .depth = 16 * depth(),
                    .parts = g.phases<false>() * parts()};
    int place = 0;
    for_each_part([&](const GatherPhase& ph, const GatherPhase& pw, int part_h, int part_w) {
      for (int r = 0; r < h.taps; ++r)
        for (int s = 0; s < w.taps; ++s) {
          const auto tap = [](const GatherPhase& phase, const TapAxis& axis, int i, int part) {
            const int forwards = i * axis.parts + part;
            return phase.tap + (axis.backwards ? phase.taps - 1 - forwards : forwards) * phase.tap_step;
          };
          p.order |= uint64_t(tap(ph, h, r, part_h) * g.w.taps + tap(pw, w, s, part_w)) << 4 * place++;
        }
    });
    return p;
  }

 private:
  template <class F>
  void for_each_part(const F& f) const {
    for (int a = 0; a < g.h.phases(); ++a)
      for (int b = 0; b < g.w.phases(); ++b)
        for (int part_h = 0; part_h < h.parts; ++part_h)
          for (int part_w = 0; part_w < w.parts; ++part_w) f(g.h.phase(a), g.w.phase(b), part_h, part_w);
  }
};

// Of a launch, as the kernel has it.
struct TapLaunch {
  Gather g;
  Tiling tiling;
  int halo_w;
  int parts_h, parts_w, step_h, step_w;
  int stages, steps_of_part;
  int to_part[2];  // what `in` moves by at the end of an even part, and of an odd one
};

template <int kR, int kS, int kDepth, int kDown, int kAcross>
__global__ void __launch_bounds__(kThreads, kDown* kAcross == 32 ? 2 : 3)
    conv2d_taps_kernel(TapLaunch of, const Bf16* in, const uint32_t* filter, const float* bias, Bf16* out) {
  using Shape = TapShape<kR, kS, kDepth, kDown, kAcross>;
  const Gather& g = of.g;
  const Tiling& tiling = of.tiling;
  const GatherPhases phases = gather_phases<false>(g, blockIdx.z);
  const GatherPhase &h = phases.h, &w = phases.w;
  const int row_of_tiles = blockIdx.x / tiling.across, image = row_of_tiles / tiling.down;
  const int h0 = (row_of_tiles - image * tiling.down) * tiling.tile_h;
  const int w0 = (blockIdx.x - row_of_tiles * tiling.across) * tiling.tile_w;
  if (h0 >= h.count || w0 >= w.count) return;  // this phase has fewer outputs than others
  const int thread = threadIdx.x, lane = thread % 32, pixel0 = thread / 32 * (16 * kDown);
  const int steps = of.parts_h * of.parts_w * of.steps_of_part;
  unsigned char* const shared = KERN_DYNAMIC_SHARED(unsigned char);

  // This thread's copies of the halo: thread % kChunks of every pixel thread / kChunks + i * kThreads / kChunks.
  constexpr int kChunks = Shape::kChunks, kCopies = Shape::kCopies, kPixelsOfCopy = kThreads / kChunks;
  const int low_h = h0 * h.scale + h.offset + (h.advance < 0 ? (h.taps - 1) * h.advance : 0);
  const int low_w = w0 * w.scale + w.offset + (w.advance < 0 ? (w.taps - 1) * w.advance : 0);
  int from[kCopies];    // from `in` on, of the first part
  uint32_t inside = 0;  // a bit for each copy, the first part's lowest
#pragma unroll
  for (int i = 0; i < kCopies; ++i) {
    const int pixel = thread / kChunks + i * kPixelsOfCopy, row = pixel / of.halo_w;
    const int ih = low_h + row * of.step_h, iw = low_w + (pixel - row * of.halo_w) * of.step_w;
    from[i] = (ih * g.w.in + iw) * int(g.in_pitch) + thread % kChunks * 8;
#pragma unroll
    for (int part = 0; part < Shape::kMostParts; ++part) {
      const int ph = of.parts_w == 2 ? part / 2 : part, pw = of.parts_w == 2 ? part % 2 : 0;
      if (pixel < tiling.halo && unsigned(ih + ph) < unsigned(g.h.in) && unsigned(iw + pw) < unsigned(g.w.in))
        inside |= 1u << (part * kCopies + i);
    }
  }
  in += int64_t{image} * g.h.in * g.w.in * g.in_pitch;
  filter += (int64_t{blockIdx.y} * g.phases<false>() + blockIdx.z) * steps * (Shape::kFilterBytes / 4) + thread * 4;
  unsigned char* const to_halo = shared + thread % kChunks * (Shape::kPlane * 16) + thread / kChunks * 16;
  unsigned char* const to_filter = shared + Shape::kHaloBytes + thread * 16;

  int part = 0, in_part = 0;  // part % 2 of the stage that is copied next, and which of the part's stages that is
  const auto begin_copies = [&](int stage) {
    const int at = stage * Shape::kStageBytes;
#pragma unroll
    for (int i = 0; i < kCopies; ++i)
      copy_async<16>(to_halo + at + i * (kPixelsOfCopy * 16), in + from[i], inside & 1u << i ? 16 : 0);
    constexpr int kWhole = Shape::kFilterBytes / (16 * kThreads), kRest = Shape::kFilterBytes % (16 * kThreads) / 16;
#pragma unroll
    for (int i = 0; i < kWhole; ++i) copy_async<16>(to_filter + at + i * (16 * kThreads), filter + i * (4 * kThreads));
    if (kRest > 0 && thread < kRest)
      copy_async<16>(to_filter + at + kWhole * (16 * kThreads), filter + kWhole * (4 * kThreads));
    filter += Shape::kFilterBytes / 4;
    in += 16 * kDepth;
    if (++in_part == of.steps_of_part) {
      in_part = 0;
      in += of.to_part[part];
      part = 1 - part;
      inside >>= Shape::kMostParts > 1 ? kCopies : 0;
    }
  };

  // Where this lane's rows of ldmatrix begin in a stage: of the halo, at the first tap.
  int a_at[kDown];
#pragma unroll
  for (int i = 0; i < kDown; ++i) {
    const int pixel = pixel0 + i * 16 + lane % 16, row = pixel / tiling.tile_w;
    a_at[i] = (lane / 16 * Shape::kPlane + row * of.halo_w + pixel - row * tiling.tile_w) * 16;
  }
  Accumulator sum[kDown][kAcross];
#pragma unroll
  for (int i = 0; i < kDown; ++i)
#pragma unroll
    for (int j = 0; j < kAcross; ++j) sum[i][j] = {};

  for (int stage = 0; stage < of.stages - 1; ++stage) {
    if (stage < steps) begin_copies(stage);
    copy_async_commit();
  }
  int stage = 0, free_stage = of.stages - 1;
  for (int step = 0; step < steps; ++step) {
    if (of.stages == 2) copy_async_wait<0>();
    else if (of.stages == 3) copy_async_wait<1>();
    else copy_async_wait<2>();
    __syncthreads();  // all have what they copied, and nobody reads the stage before this one any more
    if (step + of.stages - 1 < steps) begin_copies(free_stage);
    copy_async_commit();
    const unsigned char *halo = shared + stage * Shape::kStageBytes, *taps = halo + Shape::kHaloBytes + lane * 16;
#pragma unroll
    for (int r = 0; r < kR; ++r) {
      const unsigned char* row = halo + r * of.halo_w * 16;
#pragma unroll
      for (int s = 0; s < kS; ++s)
#pragma unroll
        for (int d = 0; d < kDepth; ++d) {
          uint32_t a[kDown][4], b[kAcross][2];
#pragma unroll
          for (int j = 0; j < kAcross; j += 2) {
            uint32_t two[4];
            load_matrices(two, taps + (((r * kS + s) * kDepth + d) * kAcross + j) * 256);
#pragma unroll
            for (int l = 0; l < 4; ++l) b[j + l / 2][l % 2] = two[l];
          }
#pragma unroll
          for (int i = 0; i < kDown; ++i) load_matrices(a[i], row + a_at[i] + (d * 2 * Shape::kPlane + s) * 16);
          mma_packed(sum, a, b);
        }
    }
    free_stage = stage;
    stage = stage + 1 == of.stages ? 0 : stage + 1;
  }

  // The epilogue: the sums with the bias, and what is given to add, to where they belong.
  const bool packed = g.out_pitch % 2 == 0 && reinterpret_cast<uintptr_t>(out) % 4 == 0;
#pragma unroll
  for (int i = 0; i < kDown; ++i)
#pragma unroll
    for (int l = 0; l < 4; l += 2) {
      const int pixel = pixel0 + i * 16 + lane / 4 + l * 4;
      const int ah = h0 + pixel / tiling.tile_w, aw = w0 + pixel % tiling.tile_w;
      if (ah >= h.count || aw >= w.count) continue;
      const int64_t row = (int64_t{image} * g.h.out + h.first + ah * h.step) * g.w.out + w.first + aw * w.step;
      Bf16* to = out + row * g.out_pitch;
#pragma unroll
      for (int j = 0; j < kAcross; ++j) {
        const int k = int(blockIdx.y) * Shape::kChannels + j * 8 + lane % 4 * 2;
        if (k >= g.out_c) continue;
        Pack<2> v{{sum[i][j].c[l], sum[i][j].c[l + 1]}};
        if (bias) v.v[0] += bias[k], v.v[1] += bias[k + 1];
        add_given<2, Bf16>(g, row, k, 2, v);
        if (packed) store(to + k, v);
        else store(to + k, Pack<1>{{v.v[0]}}), store(to + k + 1, Pack<1>{{v.v[1]}});
      }
    }
}

// --- which tile ---

template <int kR, int kS, int kDepth, int kDown, int kAcross>
void run(const Exec& exec, const TapGather& of, const Tiling& tiling, const Bf16* in, const void* packed,
         const float* bias, Bf16* out) {
  using Shape = TapShape<kR, kS, kDepth, kDown, kAcross>;
  const int stages = mma_stages(Shape::kStageBytes), pitch = int(of.g.in_pitch);
  KERN_LAUNCH((conv2d_taps_kernel<kR, kS, kDepth, kDown, kAcross>),
              {.grid = dim3(unsigned(of.g.n * tiling.tiles()), unsigned(ceil_div(of.g.out_c, Shape::kChannels)),
                            unsigned(of.g.phases<false>())),
               .block = kThreads,
               .shared_bytes = size_t(stages) * Shape::kStageBytes,
               .stream = stream_of(exec)},
              (TapLaunch{.g = of.g,
                         .tiling = tiling,
                         .halo_w = tiling.tile_w + kS - 1,
                         .parts_h = of.h.parts,
                         .parts_w = of.w.parts,
                         .step_h = of.h.step,
                         .step_w = of.w.step,
                         .stages = stages,
                         .steps_of_part = of.g.in_c / (16 * kDepth),
                         .to_part = {(of.w.parts == 2 ? 1 : of.g.w.in) * pitch - of.g.in_c,
                                     (of.w.parts == 2 ? of.g.w.in - 1 : of.g.w.in) * pitch - of.g.in_c}}),
              in, static_cast<const uint32_t*>(packed), bias, out);
}
template <int kR, int kS, int kDepth, int kAcross>
void run(const Exec& exec, const TapGather& of, const Tiling& tiling, const Bf16* in, const void* packed,
         const float* bias, Bf16* out) {
  if (tiling.tile_h * tiling.tile_w == kLargeTile)
    run<kR, kS, kDepth, kLargeTile / 64, kAcross>(exec, of, tiling, in, packed, bias, out);
  else run<kR, kS, kDepth, kSmallTile / 64, kAcross>(exec, of, tiling, in, packed, bias, out);
}
template <int kR, int kS, int kDepth>
void run(const Exec& exec, const TapGather& of, const Tiling& tiling, const Bf16* in, const void* packed,
         const float* bias, Bf16* out) {
  if (of.across() == 8) run<kR, kS, kDepth, 8>(exec, of, tiling, in, packed, bias, out);
  else if (of.across() == 4) run<kR, kS, kDepth, 4>(exec, of, tiling, in, packed, bias, out);
  else run<kR, kS, kDepth, 2>(exec, of, tiling, in, packed, bias, out);
}

// Large tiles, unless many of their pixels would not be there, or blocks too few for the multiprocessors.
Tiling best_tiling(const TapGather& of) {
  const Tiling large = of.tiling(kLargeTile), small = of.tiling(kSmallTile);
  const int64_t blocks = of.g.n * large.tiles() * ceil_div(of.g.out_c, 8 * of.across()) * of.g.phases<false>();
  return blocks >= 264 && large.tiles() * 2 * 4 <= small.tiles() * 5 ? large : small;
}

}  // namespace

int mma_stages(int bytes) {
  constexpr int reserved = 1024;  // by the system, of each block
  int device = 0, there = 0;
  cuda_check(cudaGetDevice(&device), "the current GPU");
  cuda_check(cudaDeviceGetAttribute(&there, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "a GPU's shared memory");
  const int beside_another = (there - reserved) / 2 / bytes;
  return std::min(kMostStages, beside_another >= 2 ? beside_another : there / bytes);
}

FilterPacking mma_bf16_packing(const Gather& g) {
  const TapGather of(g);
  return of.serves() ? of.packing() : FilterPacking{};
}
void mma_bf16(const Exec& exec, const Gather& g, const Bf16* in, const void* packed, const float* bias, Bf16* out,
              int pixels_of_tile) {
  const TapGather of(g);
  const Tiling tiling = pixels_of_tile ? of.tiling(pixels_of_tile) : best_tiling(of);
  const int r = of.h.taps, s = of.w.taps;
  if (r == 3) run<3, 3, 1>(exec, of, tiling, in, packed, bias, out);
  else if (r == 2) run<2, 2, 1>(exec, of, tiling, in, packed, bias, out);
  else if (s == 3) run<1, 3, 1>(exec, of, tiling, in, packed, bias, out);
  else run<1, 1, 2>(exec, of, tiling, in, packed, bias, out);
}

}  // namespace kern::kernels
