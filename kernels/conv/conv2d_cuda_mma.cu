// Convolutions of many channels on tensor cores. Forward and backward_data: a block gives 128 pixels of one image, TH
// by TW of a phase (kernels/conv/conv2d_cuda.cuh), by up to 64 channels. Of 8 channels (32 where there is one tap) it loads
// all the input that these pixels read, once for all taps, and all taps of the filter, by cp.async, while it multiplies
// what it loaded before. ldmatrix fetches each tap's fragments at shifted addresses.
//   3x3, 64 channels: a step loads 180 pixels and 9 * 64 rows of 32 bytes (24 KB) for 128 * 64 * 72 multiply-adds, 24
//   to the byte: the tensor cores are the bound. Each warp has 64 pixels by 32 channels: 48 mma for 6 ldmatrix.
// Of a volume the pixels are of one plane, and the steps go through the channels of every plane that a tap in depth
// reads; a plane outside is no step at all.
// Activations kept as bf16 are loaded by the same kernels as words of two channels each, so that a step has twice the
// channels; the filter is rounded to bf16 first, as [out][taps][in] for whichever direction, and what comes out is
// rounded as it is written. Most convolutions of images in bf16 have a kernel of their own: conv2d_cuda_mma_bf16.cu.
// The filter's gradient: conv2d_cuda_mma_weights.cuh, and for few taps in bf16 conv2d_cuda_dw_bf16.cu.
#include <algorithm>

#include "kernels/common/mma.cuh"
#include "kernels/common/precision.h"
#include "kernels/conv/conv2d_cuda.cuh"
#include "kernels/conv/conv2d_cuda_mma_bf16.h"
#include "kernels/conv/conv2d_cuda_mma_weights.cuh"

namespace kern::kernels {
namespace {

constexpr int kTile = 128, kThreads = 128;  // pixels and threads of a block
constexpr int kMin = 16;                    // channels, in and out: below, the other implementation is no slower

// How a tile lies in shared memory, in words (a float, or two bf16): rows of kDepth of them and four more, so that the
// eight rows that ldmatrix reads at once lie in different banks.
template <int kDepth, int kChannels, bool kBackward>
struct MmaLayout {
  static constexpr int kRow = kDepth + 4;
  static constexpr int kFilterRow = kBackward ? kChannels + 8 : kRow;
  static constexpr int kFilterTap = (kBackward ? kDepth : kChannels) * kFilterRow;
  static constexpr size_t bytes(int halo, int taps) {
    return sizeof(float) * (size_t(halo + 3) / 4 * 4 + 2 * (size_t(halo) * kRow + size_t(taps) * kFilterTap));
  }
};

// What n neighbouring outputs of a phase read along an axis.
constexpr int span_of(const GatherPhase& p, int n) {
  return (n - 1) * p.scale + (p.taps ? p.taps - 1 : 0) * (p.advance < 0 ? -p.advance : p.advance) + 1;
}
template <class F>
int most_of_phases(const GatherAxis& axis, const F& f) {
  int out = 0;
  for (int at = 0; at < axis.phases(); ++at) out = std::max(out, f(axis.phase(at)));
  return out;
}
int most_span(const GatherAxis& axis, int n) {
  return most_of_phases(axis, [n](const GatherPhase& p) { return span_of(p, n); });
}
int most_taps(const GatherAxis& axis) {
  return most_of_phases(axis, [](const GatherPhase& p) { return p.taps; });
}

struct MmaGather {
  Gather g;
  Tiling tiling;
  int taps;  // the most of any phase

  explicit MmaGather(const Gather& gather)
      : g(gather),
        tiling(
            kTile, g.h.most_outputs(), g.w.most_outputs(), [&](int n) { return most_span(g.h, n); },
            [&](int n) { return most_span(g.w, n); }),
        taps(most_taps(g.h) * most_taps(g.w)) {}
};

// A thread block's tile of the output and how it comes about, in CUTLASS's words (thread block, warp and instruction
// shape, stages, epilogue). Out: what values are in memory; where that is Bf16, `of` counts the input's channels and the
// filter's in words, and kPrecision says nothing.
//
//               kChannels: 2 warps across                 a stage, loaded by cp.async while the other one is multiplied:
//             +-----------+-----------+
//    kTile    |  warp 0   |  warp 1   |                   halo  [halo pixels][kDepth + 4] words of the input: all that
//   128 pixels|  kDown 16 |           |                         the tile reads, once for all taps
//   tile_h by |  by       |           |                   taps  [taps][kChannels][kDepth + 4] of the filter (backward:
//   tile_w    | kAcross 8 |           |                         [taps][kDepth][kChannels + 8])
//             +-----------+-----------+
//             |  warp 2   |  warp 3   |                   An instruction multiplies 16 pixels by 8 channels over 8
//             |           |           |                   words; a tap shifts where its pixels are read in the halo.
//             +-----------+-----------+
template <int kDepth, int kChannels, bool kBackward, Precision kPrecision, class Out>
struct MmaTile {
  using Layout = MmaLayout<kDepth, kChannels, kBackward>;
  static constexpr int kRow = Layout::kRow, kFilterRow = Layout::kFilterRow;
  static constexpr int kAcross = kChannels < 32 ? 2 : 4,
                       kWarpsAcross = kChannels / (8 * kAcross);  // a warp's 8 channels
  static constexpr int kDown = kTile / 16 / (4 / kWarpsAcross);   // and 16 pixels each

  const MmaGather& of;
  const Gather& g;
  const Tiling& tiling;
  const GatherPhase &h, &w;
  const int in_image, out_image;             // planes, counted through the batch; of a volume in_image is 0
  const int h0, w0, k0;                      // the tile's first pixel and channel
  const int back_h, back_w, halo_h, halo_w;  // the halo begins so much before the first tap's pixels
  int* const in_row;                         // of each of the halo's pixels: its place in the image, or -1
  float* const stages;
  const int halo = halo_h * halo_w;
  const int of_stage = tiling.halo * kRow + of.taps * Layout::kFilterTap;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int pixel0 = warp / kWarpsAcross * kDown * 16, channel0 = warp % kWarpsAcross * kAcross * 8;  // of the warp

  // Input pixels from (low_h, low_w) on. What of them lies outside the image is read as zeros.
  __device__ __forceinline__ void mark_halo() {
    const int low_h = h0 * h.scale + h.offset - back_h, low_w = w0 * w.scale + w.offset - back_w;
    for (int i = threadIdx.x; i < halo; i += kThreads) {
      const int ih = low_h + i / halo_w, iw = low_w + i % halo_w;
      const bool inside = unsigned(ih) < unsigned(g.h.in) && unsigned(iw) < unsigned(g.w.in);
      in_row[i] = inside ? (in_image * g.h.in + ih) * g.w.in + iw : -1;
    }
  }

  // Begins to copy kDepth words of channels from c0 on: the halo's, then every tap's. Of a volume: from a plane of the
  // input on, and from that tap in depth of the filter on.
  __device__ __forceinline__ void load_stage(const float* in, const float* filter, int c0, int stage) {
    float* to = stages + stage * of_stage;
    for (int e = threadIdx.x; e < halo * (kDepth / 4); e += kThreads) {
      const int pixel = e / (kDepth / 4), c = e % (kDepth / 4) * 4, row = in_row[pixel];
      const bool inside = row >= 0 && c0 + c < g.in_c;
      copy_async<16>(to + pixel * kRow + c, inside ? in + row * g.in_pitch + c0 + c : in, inside ? 16 : 0);
    }
    to += tiling.halo * kRow;
    constexpr int kQuads = (kBackward ? kChannels : kDepth) / 4, kRows = kBackward ? kDepth : kChannels;
    for (int r = 0; r < h.taps; ++r)
      for (int s = 0; s < w.taps; ++s, to += Layout::kFilterTap) {
        const float* tap = filter + (int64_t{h.tap + r * h.tap_step} * g.w.taps + w.tap + s * w.tap_step) * g.w_tap;
#pragma unroll
        for (int e = threadIdx.x; e < kRows * kQuads; e += kThreads) {
          const int row = e / kQuads, quad = e % kQuads * 4;
          const int c = c0 + (kBackward ? row : quad), k = k0 + (kBackward ? quad : row);
          const bool inside = c < g.in_c && k < g.out_c;
          copy_async<16>(to + row * kFilterRow + quad, inside ? tap + c * g.w_in + k * g.w_out : filter,
                         inside ? 16 : 0);
        }
      }
    copy_async_commit();
  }

  // Where this lane's rows of ldmatrix begin: of the halo for a tap that is not shifted, and of a tap.
  __device__ __forceinline__ void place_fragments(int (&a_at)[kDown], int& b_at) const {
#pragma unroll
    for (int i = 0; i < kDown; ++i) {
      const int pixel = pixel0 + i * 16 + lane % 16;
      a_at[i] =
          ((pixel / tiling.tile_w * h.scale + back_h) * halo_w + pixel % tiling.tile_w * w.scale + back_w) * kRow +
          lane / 16 * 4;
    }
    b_at = kBackward ? lane % 4 * kFilterRow + channel0 + lane / 4
                     : (channel0 + lane / 16 * 8 + lane % 8) * kFilterRow + lane / 8 % 2 * 4;
  }

  // sum += the stage's input by its filter, tap by tap, 8 words at a time.
  __device__ __forceinline__ void multiply_stage(int stage, const int (&a_at)[kDown], int b_at,
                                                 Accumulator (&sum)[kDown][kAcross]) const {
    const float *of_in = stages + stage * of_stage, *of_tap = of_in + tiling.halo * kRow + b_at;
    for (int r = 0; r < h.taps; ++r)
      for (int s = 0; s < w.taps; ++s, of_tap += Layout::kFilterTap) {
        const float* shifted = of_in + (r * h.advance * halo_w + s * w.advance) * kRow;
#pragma unroll
        for (int c = 0; c < kDepth; c += 8) {
          uint32_t a[kDown][4], b[kAcross][2];
#pragma unroll
          for (int j = 0; j < kAcross; j += 2) {
            if constexpr (kBackward) {
#pragma unroll
              for (int l = 0; l < 4; ++l)
                b[j + l / 2][l % 2] = __float_as_uint(of_tap[(c + l % 2 * 4) * kFilterRow + (j + l / 2) * 8]);
            } else {
              uint32_t two[4];
              load_matrices(two, of_tap + j * 8 * kFilterRow + c);
#pragma unroll
              for (int l = 0; l < 4; ++l) b[j + l / 2][l % 2] = two[l];
            }
          }
#pragma unroll
          for (int i = 0; i < kDown; ++i) load_matrices(a[i], shifted + a_at[i] + c);
          if constexpr (std::is_same_v<Out, Bf16>) mma_packed(sum, a, b);
          else mma_floats<kPrecision>(sum, a, b);
        }
      }
  }

  // The epilogue: the sums with the bias, and what is given to add, to where they belong.
  __device__ __forceinline__ void store_sums(const Accumulator (&sum)[kDown][kAcross], const float* bias,
                                             Out* out) const {
    const bool packed = g.out_pitch % 2 == 0 && reinterpret_cast<uintptr_t>(out) % (2 * sizeof(Out)) == 0;
#pragma unroll
    for (int i = 0; i < kDown; ++i)
#pragma unroll
      for (int l = 0; l < 4; l += 2) {
        const int pixel = pixel0 + i * 16 + lane / 4 + l * 4;
        const int ah = h0 + pixel / tiling.tile_w, aw = w0 + pixel % tiling.tile_w;
        if (ah >= h.count || aw >= w.count) continue;
        const int64_t row = (int64_t{out_image} * g.h.out + h.first + ah * h.step) * g.w.out + w.first + aw * w.step;
        Out* to = out + row * g.out_pitch;
#pragma unroll
        for (int j = 0; j < kAcross; ++j) {
          const int k = k0 + channel0 + j * 8 + lane % 4 * 2;
          if (k >= g.out_c) continue;
          Pack<2> v{{sum[i][j].c[l], sum[i][j].c[l + 1]}};
          if (bias) v.v[0] += bias[k], v.v[1] += bias[k + 1];
          add_given<2, Out>(g, row, k, 2, v);
          if (packed) store(to + k, v);
          else store(to + k, Pack<1>{{v.v[0]}}), store(to + k + 1, Pack<1>{{v.v[1]}});
        }
      }
  }
};

// A step of the sum: kDepth words of channels from c0 on and, of a volume, a tap in depth t < end.
template <bool kVolume, int kDepth>
struct MmaStep {
  int depth, end;
  int c0 = 0, t = 0;

  constexpr bool there() const { return kVolume ? t < end : c0 < depth; }
  constexpr MmaStep next() const {
    MmaStep to = *this;
    to.c0 += kDepth;
    if (kVolume && to.c0 >= depth) to.c0 = 0, ++to.t;
    return to;
  }
};

// Blocks that a multiprocessor has at least, where the compiler would rather spill registers; 0 tells it nothing.
template <bool kVolume, int kDepth, int kChannels, bool kBackward, Precision kPrecision>
constexpr int kMmaBlocks = !kVolume || kDepth != 32                                         ? 0
                           : kChannels == 64 && kBackward && kPrecision == Precision::f32   ? 2
                           : kChannels == 64 && !kBackward && kPrecision == Precision::bf16 ? 1
                           : kChannels == 16 && kBackward && kPrecision == Precision::f32   ? 1
                                                                                            : 0;

template <bool kVolume, int kDepth, int kChannels, bool kBackward, Precision kPrecision, class Out>
__global__ void __launch_bounds__(kThreads, kMmaBlocks<kVolume, kDepth, kChannels, kBackward, kPrecision>)
    conv2d_mma_kernel(MmaGather of, const float* in, const float* filter, const float* bias, Out* out) {
  const Gather& g = of.g;
  const Tiling& tiling = of.tiling;
  const GatherPhases phases = gather_phases<kVolume>(g, blockIdx.z);
  const GatherPhase &d = phases.d, &h = phases.h, &w = phases.w;
  const int row_of_tiles = blockIdx.x / tiling.across, plane = row_of_tiles / tiling.down;
  const int h0 = (row_of_tiles - plane * tiling.down) * tiling.tile_h;
  const int w0 = (blockIdx.x - row_of_tiles * tiling.across) * tiling.tile_w;
  if (h0 >= h.count || w0 >= w.count) return;  // this phase has fewer outputs than others
  int out_image = plane, first = 0;            // where tap 0 in depth reads: the plane, counted through the batch
  int t = 0, end = 1;                          // the taps in depth that read one
  if constexpr (kVolume) {
    const int n = plane / g.d.most_outputs(), a = plane - n * g.d.most_outputs(), low = a * d.scale + d.offset;
    if (a >= d.count) return;
    out_image = n * g.d.out + d.first + a * d.step, first = n * g.d.in + low;
    const auto inside = [&](int tap) { return unsigned(low + tap * d.advance) < unsigned(g.d.in); };
    end = h.taps > 0 && w.taps > 0 ? d.taps : 0;
    while (t < end && !inside(t)) ++t;
    while (t < end && !inside(end - 1)) --end;
  }

  float* const shared = KERN_DYNAMIC_SHARED(float);
  using Tile = MmaTile<kDepth, kChannels, kBackward, kPrecision, Out>;
  Tile tile{of,
            g,
            tiling,
            h,
            w,
            kVolume ? 0 : plane,
            out_image,
            h0,
            w0,
            int(blockIdx.y) * kChannels,
            h.advance < 0 ? (h.taps - 1) * -h.advance : 0,
            w.advance < 0 ? (w.taps - 1) * -w.advance : 0,
            span_of(h, tiling.tile_h),
            span_of(w, tiling.tile_w),
            reinterpret_cast<int*>(shared),
            shared + (tiling.halo + 3) / 4 * 4};
  tile.mark_halo();
  __syncthreads();

  int a_at[Tile::kDown], b_at;
  tile.place_fragments(a_at, b_at);
  Accumulator sum[Tile::kDown][Tile::kAcross];
#pragma unroll
  for (int i = 0; i < Tile::kDown; ++i)
#pragma unroll
    for (int j = 0; j < Tile::kAcross; ++j) sum[i][j] = {};
  const auto load_step = [&](const MmaStep<kVolume, kDepth>& at, int stage) {
    const float *from = in, *taps = filter;
    if constexpr (kVolume) {
      from += int64_t{first + at.t * d.advance} * g.h.in * g.w.in * g.in_pitch;
      taps += int64_t{d.tap + at.t * d.tap_step} * g.h.taps * g.w.taps * g.w_tap;
    }
    tile.load_stage(from, taps, at.c0, stage);
  };
  MmaStep<kVolume, kDepth> step{.depth = h.taps > 0 && w.taps > 0 ? g.in_c : 0, .end = end, .t = t};
  if (step.there()) load_step(step, 0);
  for (int stage = 0; step.there(); stage ^= 1) {
    const auto next = step.next();
    if (next.there()) {
      load_step(next, stage ^ 1);
      copy_async_wait<1>();
    } else {
      copy_async_wait<0>();
    }
    __syncthreads();
    tile.multiply_stage(stage, a_at, b_at, sum);
    __syncthreads();  // the next but one is loaded to where this one lay
    step = next;
  }
  tile.store_sums(sum, bias, out);
}

// --- which tile ---

// Fits at all, at some number of channels; and whether most of its tiles' pixels are there.
template <bool kBackward>
int channels_that_fit(const MmaGather& t) {
  for (const int channels : {64, 32, 16}) {
    if (channels > 16 && t.g.out_c <= channels / 2) continue;
    const int taps = t.taps;
    const size_t bytes = taps == 1 ? (channels == 64   ? MmaLayout<32, 64, kBackward>::bytes(t.tiling.halo, taps)
                                      : channels == 32 ? MmaLayout<32, 32, kBackward>::bytes(t.tiling.halo, taps)
                                                       : MmaLayout<32, 16, kBackward>::bytes(t.tiling.halo, taps))
                                   : (channels == 64   ? MmaLayout<8, 64, kBackward>::bytes(t.tiling.halo, taps)
                                      : channels == 32 ? MmaLayout<8, 32, kBackward>::bytes(t.tiling.halo, taps)
                                                       : MmaLayout<8, 16, kBackward>::bytes(t.tiling.halo, taps));
    if (bytes <= kMaxShared) return channels;
  }
  return 0;
}
template <bool kBackward>
bool serves(const Gather& g) {
  const MmaGather t(g);
  return t.tiling.tiles() * kTile * 2 <= int64_t{g.h.most_outputs()} * g.w.most_outputs() * 5 &&
         channels_that_fit<kBackward>(t);
}

template <Precision kPrecision, int kDepth, int kChannels, bool kBackward, class Out>
void run(const Exec& exec, const MmaGather& t, const float* in, const float* filter, const float* bias, Out* out) {
  const int64_t planes = int64_t{t.g.n} * t.g.d.most_outputs();
  const LaunchConfig config{.grid = dim3(unsigned(planes * t.tiling.tiles()), unsigned(ceil_div(t.g.out_c, kChannels)),
                                         unsigned(t.g.phases())),
                            .block = kThreads,
                            .shared_bytes = MmaLayout<kDepth, kChannels, kBackward>::bytes(t.tiling.halo, t.taps),
                            .stream = stream_of(exec)};
  if (t.g.volume())
    KERN_LAUNCH((conv2d_mma_kernel<true, kDepth, kChannels, kBackward, kPrecision, Out>), config, t, in, filter, bias,
                out);
  else
    KERN_LAUNCH((conv2d_mma_kernel<false, kDepth, kChannels, kBackward, kPrecision, Out>), config, t, in, filter, bias,
                out);
}
template <Precision kPrecision, int kDepth, bool kBackward, class Out>
void run(const Exec& exec, const MmaGather& t, const float* in, const float* filter, const float* bias, Out* out) {
  const int channels = channels_that_fit<kBackward>(t);
  if (channels == 64) run<kPrecision, kDepth, 64, kBackward>(exec, t, in, filter, bias, out);
  else if (channels == 32) run<kPrecision, kDepth, 32, kBackward>(exec, t, in, filter, bias, out);
  else run<kPrecision, kDepth, 16, kBackward>(exec, t, in, filter, bias, out);
}
template <Precision kPrecision, bool kBackward, class Out>
void run_any_depth(const Exec& exec, const Gather& g, const float* in, const float* filter, const float* bias,
                   Out* out) {
  const MmaGather t(g);
  if (t.taps == 1) run<kPrecision, 32, kBackward>(exec, t, in, filter, bias, out);
  else run<kPrecision, 8, kBackward>(exec, t, in, filter, bias, out);
}
template <Precision kPrecision, bool kBackward>
void run(const Exec& exec, const Gather& g, const float* in, const float* filter, const float* bias, float* out) {
  // A slice that begins at an odd channel cannot be copied 16 bytes at a time.
  if (!packs_fit(g.in_c, {{in, g.in_pitch}, {filter, g.in_c}})) return gather_cuda(exec, g, in, filter, bias, out);
  run_any_depth<kPrecision, kBackward>(exec, g, in, filter, bias, out);
}

// --- bf16 in memory ---

// As the kernel for few taps wants it (conv2d_cuda_mma_bf16.h), or else as a matrix.
FilterPacking packing_of(const Gather& g) {
  if (const FilterPacking in_blocks = mma_bf16_packing(g)) return in_blocks;
  const bool transposed = g.w_in != 1;
  return {transposed ? g.in_c : g.out_c, g.taps(), transposed ? g.out_c : g.in_c, transposed};
}
FilterPacking packing_of(const Conv2dSpec& g, bool backward_data) {
  return packing_of(backward_data ? backward_gather(g) : forward_gather(g));
}

// The gather as words of two channels: of the input, and of the packed filter.
Gather in_words(Gather g) {
  const int taps = g.taps();
  g.in_c /= 2, g.in_pitch /= 2;
  g.w_in = 1, g.w_tap = g.in_c, g.w_out = int64_t{taps} * g.in_c;
  return g;
}
template <int pixels_of_tile>
void run_bf16(const Exec& exec, const Gather& g, const Bf16* in, const float* filter, const float* bias, Bf16* out) {
  if (!packs_fit(g.in_c, {{in, g.in_pitch}}, 8)) return gather_cuda(exec, g, in, filter, bias, out);
  const FilterPacking packing = packing_of(g);
  const void* packed = packed_filter(exec, packing);
  if (!packed) {
    pack_filters(exec, {{packing, filter, exec.scratch}});
    packed = exec.scratch;
  }
  if (packing.block) return mma_bf16(exec, g, in, packed, bias, out, pixels_of_tile);
  run_any_depth<Precision::bf16, false>(exec, in_words(g), reinterpret_cast<const float*>(in),
                                        static_cast<const float*>(packed), bias, out);
}

bool supports(const Conv2dSpec& g) {
  return g.groups == 1 && g.c % 8 == 0 && g.k % 8 == 0 && g.c >= kMin && g.k >= kMin && g.n > 0 &&
         g.x_pitch() % 4 == 0 && g.dy_pitch() % 4 == 0 && serves<false>(forward_gather(g)) &&
         serves<true>(backward_gather(g));
}

template <Precision kPrecision>
constexpr Conv2dImpl by(const char* name, bool (*supports_case)(const Conv2dSpec&)) {
  return {
      .name = name,
      .device = Device::cuda,
      .supports = supports_case,
      .workspace =
          [](const Conv2dSpec& g) {
            const size_t weights = std::max(weight_cuda_bytes(g, output_of(g)), MmaWeights(g).bytes());
            return std::max(weights, BiasSums(g.y_rows(), g.k).bytes());
          },
      .forward = [](const Exec& exec, const Conv2dSpec& g, const float* x, const float* w, const float* b,
                    float* y) { run<kPrecision, false>(exec, forward_gather(g), x, w, b, y); },
      .backward_data = [](const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w,
                          float* dx) { run<kPrecision, true>(exec, backward_gather(g), dy, w, nullptr, dx); },
      .backward_weight = [](const Exec& exec, const Conv2dSpec& g, const float* dy, const float* x,
                            float* dw) { backward_weight<kPrecision>(exec, g, 1 << 20, dy, x, dw); },
      .backward_bias = [](const Exec& exec, const Conv2dSpec& g, const float* dy,
                          float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); },
      .backward_data_plus = [](const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* b,
                               float* dx) { run<kPrecision, true>(exec, backward_gather(g), dy, w, b, dx); },
      .backward_data_added =
          [](const Exec& exec, const Conv2dSpec& g, const float* dy, const float* w, const float* base,
             int64_t base_pitch, float* dx) {
            run<kPrecision, true>(exec, backward_gather_added(g, base, base_pitch), dy, w, nullptr, dx);
          },
      .exact = kPrecision == Precision::f32};
}

bool serves_bf16(const Gather& g) { return mma_bf16_packing(g) || serves<false>(in_words(g)); }
bool supports_bf16(const Conv2dSpec& g) {
  return g.groups == 1 && g.c % 8 == 0 && g.k % 8 == 0 && g.c >= kMin && g.k >= kMin && g.n > 0 &&
         g.x_pitch() % 8 == 0 && g.dy_pitch() % 8 == 0 && serves_bf16(forward_gather(g)) &&
         serves_bf16(backward_gather(g));
}

}  // namespace

template <int pixels_of_tile>
Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_of_tiles() {
  return {
      .name = "cuda_mma_bf16",
      .device = Device::cuda,
      .supports = supports_bf16,
      .workspace =
          [](const Conv2dSpec& g) {
            return std::max({packing_of(g, false).bytes(), packing_of(g, true).bytes(),
                             weight_cuda_bytes(g, output_of(g)), MmaWeights(g, 1 << 20, 2).bytes(),
                             mma_bf16_weight_bytes(g), BiasSums(g.y_rows(), g.k).bytes()});
          },
      .forward = [](const Exec& exec, const Conv2dSpec& g, const Bf16* x, const float* w, const float* b,
                    Bf16* y) { run_bf16<pixels_of_tile>(exec, forward_gather(g), x, w, b, y); },
      .backward_data = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w,
                          Bf16* dx) { run_bf16<pixels_of_tile>(exec, backward_gather(g), dy, w, nullptr, dx); },
      .backward_weight =
          [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const Bf16* x, float* dw) {
            if (!mma_bf16_weights(exec, g, dy, x, dw)) backward_weight<Precision::bf16>(exec, g, 1 << 20, dy, x, dw);
          },
      .backward_bias = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy,
                          float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); },
      .backward_data_plus = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w, const float* b,
                               Bf16* dx) { run_bf16<pixels_of_tile>(exec, backward_gather(g), dy, w, b, dx); },
      .backward_data_added =
          [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w, const Bf16* base,
             int64_t base_pitch, Bf16* dx) {
            run_bf16<pixels_of_tile>(exec, backward_gather_added(g, base, base_pitch), dy, w, nullptr, dx);
          },
      .packing = packing_of};
}
template Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_of_tiles<128>();
template Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_of_tiles<256>();
Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_impl() { return conv2d_cuda_mma_bf16_of_tiles<0>(); }

void conv2d_cuda_mma_weights(const Exec& exec, const Conv2dSpec& g, int most_chunks, const float* dy, const float* x,
                             float* dw) {
  backward_weight<Precision::f32>(exec, g, most_chunks, dy, x, dw);
}
Conv2dImpl conv2d_cuda_mma_impl() { return by<Precision::f32>("cuda_mma", supports); }
Conv2dImpl conv2d_cuda_tf32_impl() {
  return by<Precision::tf32>("cuda_tf32",
                             [](const Conv2dSpec& g) { return precision() >= Precision::tf32 && supports(g); });
}
Conv2dImpl conv2d_cuda_bf16_impl() {
  return by<Precision::bf16>("cuda_bf16",
                             [](const Conv2dSpec& g) { return precision() >= Precision::bf16 && supports(g); });
}

}  // namespace kern::kernels
