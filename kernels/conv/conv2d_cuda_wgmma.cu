// Convolutions of values kept as bf16 on a GPU of compute capability 9.0, where the copy engine (TMA) and the tensor cores
// (wgmma) do the addressing that binds conv2d_cuda_mma.cu: forward and backward_data of 3x3 and 1x1 filters that step by
// one. The other directions are that row's.
//
// A block gives 8 by 16 pixels of one image by 64 or 128 channels. One warp only copies, two groups of four warps only
// multiply. A stage of the sum is 64 channels of the input under one column s of the filter:
//
//   A  [16 + R - 1 rows][8 pixels][64 channels]  one box of the input, moved by s; zeros outside the image. Tap r of group
//      i begins 8 i + r rows down: 8 pixels are 1024 bytes, so that every row begins with the swizzle's pattern.
//   B  [R][channels out][64 channels]            a box of the filter, [out][taps][in] in bf16, for each tap of the column
//
// both K-major in the swizzle of 128 bytes. A 3x3 filter loads the input three times instead of once (or nine times);
// moving by a pixel in shared memory would begin within the pattern.
#include <algorithm>

#include "kernels/common/bf16.cuh"
#include "kernels/common/wgmma.cuh"
#include "kernels/conv/conv2d_cuda.cuh"
#include "kernels/conv/conv2d_cuda_wgmma.h"

namespace kern::kernels {
namespace {

constexpr int kGroups = 2, kThreads = kGroups * kWarpgroup + 32;  // the last warp copies
constexpr int kTileW = 8, kTileH = 8 * kGroups;                   // pixels of a block
constexpr int kDepth = 64, kPattern = 1024;                       // channels of a stage; bytes of eight rows of them
[[maybe_unused]] constexpr int kStep = 32;                        // bytes of a row that one wgmma multiplies

// R = S = kTaps taps, kChannels out.
template <int kTaps, int kChannels>
struct Stage {
  static constexpr int kInput = (kTileH + kTaps - 1) * kPattern;
  static constexpr int kFilterTap = kChannels * kDepth * 2;
  static constexpr int kBytes = kInput + kTaps * kFilterTap;
  static constexpr int kCount = kTaps == 1 ? (kChannels == 64 ? 4 : 3) : (kChannels == 64 ? 2 : 3);
  static constexpr size_t kShared = size_t{kCount} * kBytes + kPattern;  // which begins at a pattern
  static constexpr int kBlocks = kShared * 2 <= 227 * 1024 ? 2 : 1;      // of a multiprocessor
};

struct WgmmaConv {
  Gather g;
  int down, across;      // tiles of an image
  int first_h, first_w;  // what the first tap of the first pixel reads: the uppermost row, and the column of tap 0
  int step_w;            // from there to the next tap's column
  bool upwards;          // tap 0 reads the lowest row
};

template <int kTaps, int kChannels>
__device__ __forceinline__ void copy_stages(const WgmmaConv& of, const CUtensorMap& input, const CUtensorMap& filter,
                                            const TensorAt<4>& tile, int channel, char* stages, uint64_t* full,
                                            uint64_t* empty) {
  using S = Stage<kTaps, kChannels>;
  int stage = 0;
  unsigned parity = 1;  // of the phase that leaves a stage free: at first before any
#pragma unroll 1
  for (int c = 0; c < of.g.in_c; c += kDepth)
#pragma unroll 1
    for (int s = 0; s < kTaps; ++s) {
      char* const to = stages + stage * S::kBytes;
      mbarrier::wait(&empty[stage], parity);
      mbarrier::arrive_expecting(&full[stage], S::kBytes);
      copy_tensor<4>(to, input, {{c, tile.c[1] + s * of.step_w, tile.c[2], tile.c[3]}}, &full[stage]);
#pragma unroll
      for (int r = 0; r < kTaps; ++r)
        copy_tensor<3>(to + S::kInput + r * S::kFilterTap, filter, {{c, r * kTaps + s, channel}}, &full[stage]);
      if (++stage == S::kCount) stage = 0, parity ^= 1;
    }
}

template <int kTaps, int kChannels>
__device__ __forceinline__ void multiply_stages(const WgmmaConv& of, int group, const char* stages, uint64_t* full,
                                                uint64_t* empty, float (&sums)[kChannels / 2]) {
  using S = Stage<kTaps, kChannels>;
  const int steps = (of.g.in_c + kDepth - 1) / kDepth * kTaps;
  const bool first_lane = threadIdx.x % 32 == 0;
  int stage = 0, before = 0;
  unsigned parity = 0;
  for (int i = 0; i < steps; ++i) {
    const char* const from = stages + stage * S::kBytes;
    const uint64_t a = matrix(from + group * 8 * kPattern, 16, kPattern, WgmmaSwizzle::bytes128),
                   b = matrix(from + S::kInput, 16, kPattern, WgmmaSwizzle::bytes128);
    mbarrier::wait(&full[stage], parity);
    wgmma_fence();
#pragma unroll
    for (int r = 0; r < kTaps; ++r) {
      const int row = of.upwards ? kTaps - 1 - r : r;
#pragma unroll
      for (int k = 0; k < kDepth * 2; k += kStep)
        wgmma<WgmmaType::bf16>(sums, matrix_at(a, row * kPattern + k), matrix_at(b, r * S::kFilterTap + k));
    }
    wgmma_commit();
    wgmma_wait<1>(sums);  // for the stage before, which is free now
    if (i > 0 && first_lane) mbarrier::arrive(&empty[before]);
    before = stage;
    if (++stage == S::kCount) stage = 0, parity ^= 1;
  }
  wgmma_wait<0>(sums);
}

template <int kTaps, int kChannels>
__global__ void __launch_bounds__(kThreads, Stage<kTaps, kChannels>::kBlocks)
    conv2d_wgmma_kernel(const __grid_constant__ CUtensorMap input, const __grid_constant__ CUtensorMap filter,
                        WgmmaConv of, const float* bias, Bf16* out) {
#ifdef KERN_HOPPER
  using S = Stage<kTaps, kChannels>;
  KERN_SHARED(uint64_t[S::kCount], full);
  KERN_SHARED(uint64_t[S::kCount], empty);
  char* const shared = KERN_DYNAMIC_SHARED(char);
  char* const stages = shared + (kPattern - shared_address(shared) % kPattern) % kPattern;
  const int row_of_tiles = int(blockIdx.x) / of.across, image = row_of_tiles / of.down;
  const int h0 = (row_of_tiles - image * of.down) * kTileH, w0 = (int(blockIdx.x) - row_of_tiles * of.across) * kTileW;
  const int channel = int(blockIdx.y) * kChannels;
  // The same for all lanes, which the compiler learns from the shuffle: descriptors want registers of the warp.
  const int warp = __shfl_sync(kAllLanes, int(threadIdx.x) / 32, 0), lane = int(threadIdx.x) % 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < S::kCount; ++s) mbarrier::init(&full[s], 1), mbarrier::init(&empty[s], kGroups * 4);
    mbarrier::fence_init();
  }
  __syncthreads();
  if (warp == kGroups * 4) {
    if (lane == 0)
      copy_stages<kTaps, kChannels>(of, input, filter, {{0, w0 + of.first_w, h0 + of.first_h, image}}, channel, stages,
                                    full, empty);
    return;
  }
  const int group = warp / 4;
  float sums[kChannels / 2];
#pragma unroll
  for (int i = 0; i < kChannels / 2; ++i) sums[i] = 0;
  multiply_stages<kTaps, kChannels>(of, group, stages, full, empty, sums);

  // A row of the group's 64 is a pixel, eight to a row of the image.
  const Gather& g = of.g;
  const bool packed = g.out_pitch % 2 == 0 && reinterpret_cast<uintptr_t>(out) % (2 * sizeof(Bf16)) == 0;
  const int w = w0 + lane / 4;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int h = h0 + group * 8 + warp % 4 * 2 + half;
    if (h >= g.h.out || w >= g.w.out) continue;
    const int64_t row = (int64_t{image} * g.h.out + h) * g.w.out + w;
    Bf16* const to = out + row * g.out_pitch;
#pragma unroll
    for (int j = 0; j < kChannels / 8; ++j) {
      const int k = channel + j * 8 + lane % 4 * 2;
      if (k >= g.out_c) continue;
      Pack<2> v{{sums[4 * j + 2 * half], sums[4 * j + 2 * half + 1]}};
      if (bias) v.v[0] += bias[k], v.v[1] += bias[k + 1];
      add_given<2, Bf16>(g, row, k, 2, v);
      if (packed) store(to + k, v);
      else store(to + k, Pack<1>{{v.v[0]}}), store(to + k + 1, Pack<1>{{v.v[1]}});
    }
  }
#endif
}

template <int kTaps, int kChannels>
void run(const Exec& exec, const WgmmaConv& of, const Bf16* in, const void* filter, const float* bias, Bf16* out) {
  using S = Stage<kTaps, kChannels>;
  const Gather& g = of.g;
  const CUtensorMap input = tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, sizeof(Bf16), in,
                                       {{.size = g.in_c, .stride = 1, .box = kDepth},
                                        {.size = g.w.in, .stride = g.in_pitch, .box = kTileW},
                                        {.size = g.h.in, .stride = g.in_pitch * g.w.in, .box = kTileH + kTaps - 1},
                                        {.size = g.n, .stride = g.in_pitch * g.w.in * g.h.in, .box = 1}},
                                       CU_TENSOR_MAP_SWIZZLE_128B);
  const CUtensorMap packed =
      tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, sizeof(Bf16), filter,
                 {{.size = g.in_c, .stride = 1, .box = kDepth},
                  {.size = kTaps * kTaps, .stride = g.in_c, .box = 1},
                  {.size = g.out_c, .stride = int64_t{kTaps} * kTaps * g.in_c, .box = kChannels}},
                 CU_TENSOR_MAP_SWIZZLE_128B);
  KERN_LAUNCH((conv2d_wgmma_kernel<kTaps, kChannels>),
              {.grid = dim3(unsigned(int64_t{g.n} * of.down * of.across), unsigned(ceil_div(g.out_c, kChannels))),
               .block = kThreads,
               .shared_bytes = S::kShared,
               .stream = stream_of(exec)},
              input, packed, of, bias, out);
}

FilterPacking packing_of(const Conv2dSpec& g, bool backward_data) { return {g.k, g.r * g.s, g.c, backward_data}; }

// Otherwise it is no case of this kernel's: an array that does not begin where a tensor map can.
bool run(const Exec& exec, const Gather& g, const Bf16* in, const float* filter, const float* bias, Bf16* out) {
  if (!packs_fit(g.in_c, {{in, g.in_pitch}}, 8)) return false;
  const bool transposed = g.w_in != 1;
  const int taps = g.taps();
  const FilterPacking packing{transposed ? g.in_c : g.out_c, taps, transposed ? g.out_c : g.in_c, transposed};
  const void* packed = packed_filter(exec, packing);
  if (!packed) {
    pack_filters(exec, {{packing, filter, exec.scratch}});
    packed = exec.scratch;
  }
  const GatherPhase h = g.h.phase(0), w = g.w.phase(0);
  const bool upwards = h.advance < 0;
  const WgmmaConv of{.g = g,
                     .down = int(ceil_div(g.h.out, kTileH)),
                     .across = int(ceil_div(g.w.out, kTileW)),
                     .first_h = h.offset - (upwards ? g.h.taps - 1 : 0),
                     .first_w = w.offset,
                     .step_w = w.advance,
                     .upwards = upwards};
  const bool wide = g.out_c > 64 && ceil_div(g.out_c, 128) * 2 == ceil_div(g.out_c, 64);
  if (taps == 1) wide ? run<1, 128>(exec, of, in, packed, bias, out) : run<1, 64>(exec, of, in, packed, bias, out);
  else wide ? run<3, 128>(exec, of, in, packed, bias, out) : run<3, 64>(exec, of, in, packed, bias, out);
  return true;
}

const Conv2dImplOf<Bf16>& other_row() {
  static const Conv2dImplOf<Bf16> row = conv2d_cuda_mma_bf16_impl();
  return row;
}

bool supports(const Conv2dSpec& g) {
  return g.r == g.s && (g.r == 1 || g.r == 3) && g.stride_h == 1 && g.stride_w == 1 && g.dil_h == 1 && g.dil_w == 1 &&
         !g.flattened().volume() && device_is_hopper() && other_row().supports(g);
}

}  // namespace

Conv2dImplOf<Bf16> conv2d_cuda_wgmma_impl() {
  Conv2dImplOf<Bf16> row = other_row();
  row.name = "cuda_wgmma_bf16";
  row.supports = supports;
  row.workspace = [](const Conv2dSpec& g) { return std::max(packing_of(g, false).bytes(), other_row().workspace(g)); };
  row.forward = [](const Exec& exec, const Conv2dSpec& g, const Bf16* x, const float* w, const float* b, Bf16* y) {
    if (!run(exec, forward_gather(g), x, w, b, y)) other_row().forward(exec, g, x, w, b, y);
  };
  row.backward_data = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w, Bf16* dx) {
    if (!run(exec, backward_gather(g), dy, w, nullptr, dx)) other_row().backward_data(exec, g, dy, w, dx);
  };
  row.backward_data_plus = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w, const float* b,
                              Bf16* dx) {
    if (!run(exec, backward_gather(g), dy, w, b, dx)) other_row().backward_data_plus(exec, g, dy, w, b, dx);
  };
  row.backward_data_added = [](const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const float* w, const Bf16* base,
                               int64_t pitch, Bf16* dx) {
    if (!run(exec, backward_gather_added(g, base, pitch), dy, w, nullptr, dx))
      other_row().backward_data_added(exec, g, dy, w, base, pitch, dx);
  };
  row.packing = packing_of;
  return row;
}

}  // namespace kern::kernels
