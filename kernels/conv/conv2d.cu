// The CUDA implementation that takes every convolution, in fp32 without tensor cores. Forward and backward_data are the same two
// gather kernels (kernels/conv/conv2d_cuda.cuh): one for few channels, which keeps a few pixels' results in registers and
// reads the input through the L1 cache, and one for many, which is a matrix product of 128 pixels by 64 channels whose
// left side is gathered. backward_weight is a product over pixels, in chunks whose sums a second kernel adds.
#include "kernels/conv/conv2d_cuda.cuh"

namespace kern::kernels {
namespace {

// --- few channels: first layers, heads, signals, groups ---

// A thread: kPixels pixels of the output, 128 apart so that a warp's reads lie side by side, by kChannels channels. The
// block stages up to 8 KiB of filter at a time, for which all threads read the same address. Per pixel and depth step:
// one load of V values and V * kChannels multiply-adds. The models' layers of this kind (1 to 64 channels at 512x512:
// 9 * 64 multiply-adds for 260 bytes) are bound by memory from about 4 channels out on. (Four pixels of one channel
// spill registers on sm_90a, of volumes one pixel of two channels does too, and eight channels kept as bf16 do on sm_80,
// unless the compiler is told that one block a multiprocessor is enough; 0 tells it nothing.)
constexpr int kSmallThreads = 128, kSmallStage = 2048;
template <bool kVolume, int kChannels, int kPixels, class T>
constexpr int kSmallBlocks = (kPixels == 4 && (kChannels == 1 || (kChannels == 8 && std::is_same_v<T, Bf16>))) ||
                                     (kVolume && kPixels == 1 && kChannels == 2)
                                 ? 1
                                 : 0;

template <bool kVolume, int kChannels, int kPixels, int V, class T>
__global__ void __launch_bounds__(kSmallThreads, kSmallBlocks<kVolume, kChannels, kPixels, T>)
    conv2d_small_kernel(Gather g, const T* in, const float* filter, const float* bias, T* out) {
  constexpr int kDepth = kSmallStage / kChannels, kPack = kChannels < 4 ? kChannels : 4;
  KERN_SHARED(float[kSmallStage], staged);  // [depth][channel]
  const int phases = g.phases<kVolume>(), group = blockIdx.z / phases;
  const GatherPhases of = gather_phases<kVolume>(g, blockIdx.z % phases);
  const int k0 = blockIdx.y * kChannels, first = blockIdx.x * (kSmallThreads * kPixels) + threadIdx.x;
  in += group * g.in_c;
  filter += group * g.w_group + k0 * g.w_out;

  GatherPixel<kVolume> pixel[kPixels];
  float sum[kPixels][kChannels];
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    pixel[j] = gather_pixel<kVolume>(g, of, first + j * kSmallThreads);
#pragma unroll
    for (int k = 0; k < kChannels; ++k) sum[j][k] = 0;
  }

  const int depth = taps_of(of) * g.in_c;
  int t = 0, r = 0, s = 0, c = 0;  // the tap and channel of the next depth step
  const T* at[kPixels];
#pragma unroll
  for (int j = 0; j < kPixels; ++j) at[j] = nullptr;
  for (int d0 = 0; d0 < depth; d0 += kDepth) {
    const int count = min(kDepth, depth - d0);
    __syncthreads();
    for (int e = threadIdx.x; e < count * kChannels; e += kSmallThreads) {
      const int d = d0 + e / kChannels, k = e % kChannels, tap = d / g.in_c;
      const int64_t in_filter = tap_in_filter<kVolume>(g, of, gather_tap<kVolume>(of, tap));
      staged[e] = k0 + k < g.out_c ? filter[k * g.w_out + in_filter * g.w_tap + (d - tap * g.in_c) * g.w_in] : 0.0f;
    }
    __syncthreads();
    for (int d = 0; d < count;) {
      if (c == 0) {
        const int dd = t * of.d.advance, dh = r * of.h.advance, dw = s * of.w.advance;
#pragma unroll
        for (int j = 0; j < kPixels; ++j) {
          const GatherPixel<kVolume> from = pixel[j].moved(dd, dh, dw);
          at[j] = from.inside(g.extent()) ? in + from.row(g.extent()) * g.in_pitch : nullptr;
        }
      }
      const int run = min(count - d, g.in_c - c);
#pragma unroll 1
      for (int i = 0; i < run; i += V) {
        Pack<V> x[kPixels];
#pragma unroll
        for (int j = 0; j < kPixels; ++j) x[j] = at[j] ? load<V>(at[j] + c + i) : Pack<V>{};
#pragma unroll
        for (int v = 0; v < V; ++v)
#pragma unroll
          for (int k = 0; k < kChannels; k += kPack) {
            const Pack<kPack> f = load<kPack>(&staged[(d + i + v) * kChannels + k]);
#pragma unroll
            for (int j = 0; j < kPixels; ++j)
#pragma unroll
              for (int l = 0; l < kPack; ++l) sum[j][k + l] += f.v[l] * x[j].v[v];
          }
      }
      d += run;
      c += run;
      if (c == g.in_c) {
        c = 0;
        if (++s == of.w.taps) s = 0, ++r;
        if (kVolume && r == of.h.taps) r = 0, ++t;
      }
    }
  }

  const int channel = group * g.out_c + k0, total = outputs_of(g, of);
  const bool packed = k0 + kChannels <= g.out_c &&
                      reinterpret_cast<uintptr_t>(out + channel) % (sizeof(T) * kPack) == 0 && g.out_pitch % kPack == 0;
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    const int index = first + j * kSmallThreads;
    if (index >= total) return;
    const int64_t row = gather_row<kVolume>(g, of, index);
    T* to = out + row * g.out_pitch + channel;
#pragma unroll
    for (int k = 0; k < kChannels; k += kPack) {
      Pack<kPack> v;
#pragma unroll
      for (int l = 0; l < kPack; ++l)
        v.v[l] = sum[j][k + l] + (bias && k0 + k + l < g.out_c ? bias[channel + k + l] : 0.0f);
      add_given<kPack, T>(g, row, channel + k, g.out_c - k0 - k, v);
      if (packed) store(to + k, v);
      else
#pragma unroll
        for (int l = 0; l < kPack; ++l)
          if (k0 + k + l < g.out_c) store(to + k + l, Pack<1>{{v.v[l]}});
    }
  }
}

// --- many channels ---

// A block: 128 pixels by 16 * kAcross channels, a thread 8 by kAcross of them. The depth (taps, then channels) goes by
// in steps of 16, of which the next is on its way from memory while one is multiplied. Per step a thread reads 8 +
// kAcross values of shared memory for 8 * kAcross multiply-adds: at 64 channels the arithmetic is the bound.
constexpr int kTilePixels = 128, kTileDepth = 16, kTileThreads = 256;

template <bool kVolume, int kAcross, int V, class T>
__global__ void __launch_bounds__(kTileThreads)
    conv2d_tile_kernel(Gather g, const T* in, const float* filter, const float* bias, T* out) {
  constexpr int kChannels = 16 * kAcross, kPixelPitch = kTilePixels + 4, kChannelPitch = kChannels + 4;
  constexpr int kFilterLoads = kChannels * kTileDepth / kTileThreads, kPacks = 4 / V;
  KERN_SHARED(float[2][kTileDepth][kPixelPitch], of_in);
  KERN_SHARED(float[2][kTileDepth][kChannelPitch], of_filter);
  const int phases = g.phases<kVolume>(), group = blockIdx.z / phases;
  const GatherPhases of = gather_phases<kVolume>(g, blockIdx.z % phases);
  const int k0 = blockIdx.y * kChannels, first = blockIdx.x * kTilePixels;
  in += group * g.in_c;
  filter += group * g.w_group + k0 * g.w_out;
  const int depth = taps_of(of) * g.in_c;

  // Loads: four steps of depth of two pixels; and kFilterLoads values of the filter, along what is dense in memory.
  const int lane = threadIdx.x / 4, quad = threadIdx.x % 4 * 4;
  const GatherPixel<kVolume> pixel[2] = {gather_pixel<kVolume>(g, of, first + lane),
                                         gather_pixel<kVolume>(g, of, first + lane + 64)};
  const bool along_depth = g.w_in == 1;
  Pack<V> x[2][kPacks];
  float f[kFilterLoads];
  auto fetch = [&](int d0) {
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      const int d = d0 + quad + i * V, at = d / g.in_c, c = d - at * g.in_c;
      const GatherTap tap = gather_tap<kVolume>(of, at);
      const int dd = tap.t * of.d.advance, dh = tap.r * of.h.advance, dw = tap.s * of.w.advance;
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const GatherPixel<kVolume> from = pixel[j].moved(dd, dh, dw);
        const bool there = d < depth && from.inside(g.extent());
        x[j][i] = there ? load<V>(in + from.row(g.extent()) * g.in_pitch + c) : Pack<V>{};
      }
    }
#pragma unroll
    for (int i = 0; i < kFilterLoads; ++i) {
      const int e = threadIdx.x + i * kTileThreads;
      const int k = along_depth ? e / kTileDepth : e % kChannels;
      const int d = d0 + (along_depth ? e % kTileDepth : e / kChannels);
      const int tap = d / g.in_c;
      const int64_t in_filter = tap_in_filter<kVolume>(g, of, gather_tap<kVolume>(of, tap));
      f[i] = d < depth && k0 + k < g.out_c ? filter[k * g.w_out + in_filter * g.w_tap + (d - tap * g.in_c) * g.w_in]
                                           : 0.0f;
    }
  };
  auto stage = [&](int buffer) {
#pragma unroll
    for (int j = 0; j < 2; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) of_in[buffer][quad + i][lane + 64 * j] = x[j][i / V].v[i % V];
#pragma unroll
    for (int i = 0; i < kFilterLoads; ++i) {
      const int e = threadIdx.x + i * kTileThreads;
      of_filter[buffer][along_depth ? e % kTileDepth : e / kChannels][along_depth ? e / kTileDepth : e % kChannels] =
          f[i];
    }
  };

  const int down = threadIdx.x / 16 * 8, across = threadIdx.x % 16 * kAcross;
  float sum[8][kAcross];
#pragma unroll
  for (int i = 0; i < 8; ++i)
#pragma unroll
    for (int k = 0; k < kAcross; ++k) sum[i][k] = 0;
  if (depth > 0) fetch(0), stage(0);
  for (int d0 = 0, buffer = 0; d0 < depth; d0 += kTileDepth, buffer ^= 1) {
    __syncthreads();  // this buffer is full, and nobody reads the other any more
    const bool more = d0 + kTileDepth < depth;
    if (more) fetch(d0 + kTileDepth);
#pragma unroll
    for (int d = 0; d < kTileDepth; ++d) {
      const Pack<4> a[2] = {load<4>(&of_in[buffer][d][down]), load<4>(&of_in[buffer][d][down + 4])};
      const Pack<kAcross> b = load<kAcross>(&of_filter[buffer][d][across]);
#pragma unroll
      for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int k = 0; k < kAcross; ++k) sum[i][k] += a[i / 4].v[i % 4] * b.v[k];
    }
    if (more) stage(buffer ^ 1);
  }

  const int mine = k0 + across, channel = group * g.out_c + mine, total = outputs_of(g, of);
  if (mine >= g.out_c) return;
  const bool packed = mine + kAcross <= g.out_c &&
                      reinterpret_cast<uintptr_t>(out + channel) % (sizeof(T) * kAcross) == 0 &&
                      g.out_pitch % kAcross == 0;
  Pack<kAcross> start{};
  if (bias)
#pragma unroll
    for (int k = 0; k < kAcross; ++k)
      if (mine + k < g.out_c) start.v[k] = bias[channel + k];
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (first + down + i >= total) return;
    const int64_t row = gather_row<kVolume>(g, of, first + down + i);
    T* to = out + row * g.out_pitch + channel;
    Pack<kAcross> v;
#pragma unroll
    for (int k = 0; k < kAcross; ++k) v.v[k] = sum[i][k] + start.v[k];
    add_given<kAcross, T>(g, row, channel, g.out_c - mine, v);
    if (packed) store(to, v);
    else
#pragma unroll
      for (int k = 0; k < kAcross; ++k)
        if (mine + k < g.out_c) store(to + k, Pack<1>{{v.v[k]}});
  }
}

// --- which kernel ---

template <bool kVolume, int kChannels, int kPixels, class T>
void run_small(const Exec& exec, const Gather& g, bool packs, const T* in, const float* filter, const float* bias,
               T* out) {
  const LaunchConfig config{.grid = dim3(unsigned(ceil_div(g.most_pixels(), kSmallThreads * kPixels)),
                                         unsigned(ceil_div(g.out_c, kChannels)), unsigned(g.groups * g.phases())),
                            .block = kSmallThreads,
                            .stream = stream_of(exec)};
  if (packs) KERN_LAUNCH((conv2d_small_kernel<kVolume, kChannels, kPixels, 4, T>), config, g, in, filter, bias, out);
  else KERN_LAUNCH((conv2d_small_kernel<kVolume, kChannels, kPixels, 1, T>), config, g, in, filter, bias, out);
}
template <bool kVolume, int kChannels, class T>
void run_small(const Exec& exec, const Gather& g, bool packs, const T* in, const float* filter, const float* bias,
               T* out) {
  // Four pixels a thread where that still makes two blocks for each multiprocessor of a large GPU.
  const int64_t blocks = ceil_div(g.most_pixels(), 4 * kSmallThreads) * ceil_div(g.out_c, kChannels) * g.groups;
  if (blocks * g.phases() >= 264) run_small<kVolume, kChannels, 4>(exec, g, packs, in, filter, bias, out);
  else run_small<kVolume, kChannels, 1>(exec, g, packs, in, filter, bias, out);
}
template <bool kVolume, int kAcross, class T>
void run_tile(const Exec& exec, const Gather& g, bool packs, const T* in, const float* filter, const float* bias,
              T* out) {
  const LaunchConfig config{.grid = dim3(unsigned(ceil_div(g.most_pixels(), kTilePixels)),
                                         unsigned(ceil_div(g.out_c, 16 * kAcross)), unsigned(g.groups * g.phases())),
                            .block = kTileThreads,
                            .stream = stream_of(exec)};
  if (packs) KERN_LAUNCH((conv2d_tile_kernel<kVolume, kAcross, 4, T>), config, g, in, filter, bias, out);
  else KERN_LAUNCH((conv2d_tile_kernel<kVolume, kAcross, 1, T>), config, g, in, filter, bias, out);
}
template <bool kVolume, class T>
void run_gather(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out) {
  const bool packs = packs_fit(g.in_c, {{in, g.in_pitch}});
  if (g.in_c > 4 && g.out_c > 32) return run_tile<kVolume, 4>(exec, g, packs, in, filter, bias, out);
  if (g.in_c > 4 && g.out_c > 16) return run_tile<kVolume, 2>(exec, g, packs, in, filter, bias, out);
  if (g.out_c > 8) return run_small<kVolume, 16>(exec, g, packs, in, filter, bias, out);
  if (g.out_c > 4) return run_small<kVolume, 8>(exec, g, packs, in, filter, bias, out);
  if (g.out_c > 2) return run_small<kVolume, 4>(exec, g, packs, in, filter, bias, out);
  if (g.out_c > 1) return run_small<kVolume, 2>(exec, g, packs, in, filter, bias, out);
  run_small<kVolume, 1>(exec, g, packs, in, filter, bias, out);
}

}  // namespace

template <class T>
void gather_cuda(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out) {
  if (g.volume()) run_gather<true>(exec, g, in, filter, bias, out);
  else run_gather<false>(exec, g, in, filter, bias, out);
}

namespace {

// --- backward_weight ---

// dw as a matrix of K rows by taps * C columns: a block takes kDown by kWide of it and a chunk of pixels, a thread 4
// by 4 and each kSplit-th pixel; the threads of a result are added at the end, in order. Pixels are staged kPixels at a
// time: per 4 by 4 multiply-adds two reads of 16 bytes. Sums begin anew every 1024 pixels, so that long ones lose
// little.
struct WeightSums {
  Conv2dSpec g;
  ConvOutput of_dy;
  int64_t x_pitch, dy_pitch;
  int pixels, columns, down, wide, chunk, chunks;

  WeightSums(const Conv2dSpec& spec, ConvOutput out)
      : g(flattened(spec, out)),
        of_dy(out),
        x_pitch(g.x_pitch()),
        dy_pitch(g.dy_pitch()),
        columns(g.t * g.r * g.s * g.cg()) {
    check_pixels(g.x_rows(), int64_t{g.n} * out.o * out.p * out.q);
    pixels = g.n * out.o * out.p * out.q;
    down = g.kg() > 16 ? 64 : g.kg() > 4 ? 16 : 4;
    wide = columns > 16 ? 64 : 16;
    const int64_t tiles = ceil_div(g.kg(), down) * ceil_div(columns, wide) * g.groups;
    const int64_t wanted = ceil_div(528, tiles), most = ceil_div(pixels, 512);  // 4 blocks for each multiprocessor
    chunks = int(wanted < most ? wanted : most);
    chunk = chunks ? int(ceil_div(pixels, chunks)) : 0;
  }
  bool volume() const { return g.volume() || of_dy.o > 1; }
  size_t bytes() const { return size_t(chunks) * size_t(g.w_size()) * sizeof(float); }
};

template <int kDown, int kWide>
struct WeightTile {
  static constexpr int kThreads = 256, kSplit = kThreads * 16 / (kDown * kWide);
  static constexpr int kPixels = 4096 / (kDown + kWide) / 32 * 32 < 256 ? 4096 / (kDown + kWide) / 32 * 32 : 256;
  static constexpr int kStaged = kPixels * (kDown + kWide);
  static constexpr int kFloats = kStaged > kThreads * 16 ? kStaged : kThreads * 16;
};

template <bool kVolume, int kDown, int kWide, class T>
__global__ void __launch_bounds__(256, !kVolume && kDown == 64 && kWide == 64 ? 4 : 0)
    conv2d_weight_kernel(WeightSums sums, const T* dy, const T* x, float* parts) {
  using Tile = WeightTile<kDown, kWide>;
  constexpr int kThreads = Tile::kThreads, kSplit = Tile::kSplit, kPixels = Tile::kPixels;
  KERN_SHARED(float[Tile::kFloats], shared);  // [pixel][kDown] of dy, [pixel][kWide] of x; at the end all the sums
  KERN_SHARED(GatherPixel<kVolume>[kPixels], pixels);
  float *of_dy = shared, *of_x = shared + kPixels * kDown;
  const Conv2dSpec& g = sums.g;
  const GatherExtent in{g.d, g.h, g.w};
  const int group = blockIdx.z, across_tiles = (sums.columns + kWide - 1) / kWide;
  const int k0 = blockIdx.y / across_tiles * kDown, j0 = blockIdx.y % across_tiles * kWide;
  const int begin = blockIdx.x * sums.chunk, end = begin + min(sums.chunk, sums.pixels - begin);
  const int kg = g.kg();
  const int64_t x_pitch = sums.x_pitch, dy_pitch = sums.dy_pitch;

  // This thread stages column `mine` of x, for each so many pixels, and one of dy.
  const int mine = j0 + threadIdx.x % kWide, tap = mine / g.cg(), row_of_taps = tap / g.s;
  const int tap_t = kVolume ? row_of_taps / g.r : 0, dd = tap_t * g.dil_d;
  const int dh = (row_of_taps - tap_t * g.r) * g.dil_h, dw = (tap - row_of_taps * g.s) * g.dil_w;
  const T* from_x = x + group * g.cg() + (mine - tap * g.cg());
  const int k = k0 + threadIdx.x % kDown;
  const T* from_dy = dy + group * g.kg() + k;

  const int cell = threadIdx.x % (kThreads / kSplit), split = threadIdx.x / (kThreads / kSplit);
  const int down = cell / (kWide / 4) * 4, across = cell % (kWide / 4) * 4;
  float sum[4][4], total[4][4];
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) sum[i][j] = total[i][j] = 0;
  int summed = 0;
  for (int first = begin; first < end; first += kPixels) {
    const int count = min(kPixels, end - first);
    __syncthreads();
    if (int(threadIdx.x) < count) pixels[threadIdx.x] = pixel_of_dy<kVolume>(g, sums.of_dy, first + threadIdx.x);
    for (int i = threadIdx.x / kDown; i < kPixels; i += kThreads / kDown)
      of_dy[i * kDown + threadIdx.x % kDown] =
          i < count && k < kg ? load<1>(from_dy + int64_t{first + i} * dy_pitch).v[0] : 0.0f;
    __syncthreads();
    for (int i = threadIdx.x / kWide; i < kPixels; i += kThreads / kWide) {
      float v = 0;
      if (i < count && mine < sums.columns) {
        const GatherPixel<kVolume> at = pixels[i].moved(dd, dh, dw);
        if (at.inside(in)) v = load<1>(from_x + int64_t{at.row(in)} * x_pitch).v[0];
      }
      of_x[i * kWide + threadIdx.x % kWide] = v;
    }
    __syncthreads();
#pragma unroll 8
    for (int i = split; i < kPixels; i += kSplit) {
      const Pack<4> a = load<4>(&of_dy[i * kDown + down]), b = load<4>(&of_x[i * kWide + across]);
#pragma unroll
      for (int l = 0; l < 4; ++l)
#pragma unroll
        for (int m = 0; m < 4; ++m) sum[l][m] += a.v[l] * b.v[m];
    }
    if ((summed += kPixels) >= 1024 || first + kPixels >= end) {
      summed = 0;
#pragma unroll
      for (int l = 0; l < 4; ++l)
#pragma unroll
        for (int m = 0; m < 4; ++m) total[l][m] += sum[l][m], sum[l][m] = 0;
    }
  }

  __syncthreads();
#pragma unroll
  for (int l = 0; l < 4; ++l)
    store(&shared[(split * kDown + down + l) * kWide + across],
          Pack<4>{{total[l][0], total[l][1], total[l][2], total[l][3]}});
  __syncthreads();
  float* to = parts + blockIdx.x * g.w_size() + int64_t{group} * g.kg() * sums.columns;
  for (int e = threadIdx.x; e < kDown * kWide; e += kThreads) {
    float v = shared[e];
    for (int s = 1; s < kSplit; ++s) v += shared[s * kDown * kWide + e];
    const int row = k0 + e / kWide, column = j0 + e % kWide;
    if (row < g.kg() && column < sums.columns) to[int64_t{row} * sums.columns + column] = v;
  }
}

template <bool kVolume, int kDown, class T>
void run_weight(const Exec& exec, const WeightSums& sums, const T* dy, const T* x, float* parts) {
  const int64_t tiles = ceil_div(sums.g.kg(), kDown) * ceil_div(sums.columns, sums.wide);
  const LaunchConfig config{.grid = dim3(unsigned(sums.chunks), unsigned(tiles), unsigned(sums.g.groups)),
                            .block = 256,
                            .stream = stream_of(exec)};
  if (sums.wide == 64) KERN_LAUNCH((conv2d_weight_kernel<kVolume, kDown, 64, T>), config, sums, dy, x, parts);
  else KERN_LAUNCH((conv2d_weight_kernel<kVolume, kDown, 16, T>), config, sums, dy, x, parts);
}
template <bool kVolume, class T>
void run_weight(const Exec& exec, const WeightSums& sums, const T* dy, const T* x, float* parts) {
  if (sums.down == 64) run_weight<kVolume, 64>(exec, sums, dy, x, parts);
  else if (sums.down == 16) run_weight<kVolume, 16>(exec, sums, dy, x, parts);
  else run_weight<kVolume, 4>(exec, sums, dy, x, parts);
}

}  // namespace

size_t weight_cuda_bytes(const Conv2dSpec& g, ConvOutput of_dy) { return WeightSums(g, of_dy).bytes(); }
template <class T>
void weight_cuda(const Exec& exec, const Conv2dSpec& g, ConvOutput of_dy, const T* dy, const T* x, float* dw) {
  const WeightSums sums(g, of_dy);
  float* parts = static_cast<float*>(exec.scratch);
  if (sums.volume()) run_weight<true>(exec, sums, dy, x, parts);
  else run_weight<false>(exec, sums, dy, x, parts);
  add_chunks(exec, g.w_size(), sums.chunks, parts, dw);
}

#define KERN_PLAIN(T)                                                                              \
  template void gather_cuda(const Exec&, const Gather&, const T*, const float*, const float*, T*); \
  template void weight_cuda(const Exec&, const Conv2dSpec&, ConvOutput, const T*, const T*, float*)
KERN_PLAIN(float);
KERN_PLAIN(Bf16);
#undef KERN_PLAIN

template <class T>
Conv2dImplOf<T> conv2d_cuda_impl() {
  return {.name = std::is_same_v<T, float> ? "cuda" : "cuda_plain_bf16",
          .device = Device::cuda,
          .supports = supports_all,
          .workspace =
              [](const Conv2dSpec& g) {
                return std::max(weight_cuda_bytes(g, output_of(g)), BiasSums(g.y_rows(), g.k).bytes());
              },
          .forward = [](const Exec& exec, const Conv2dSpec& g, const T* x, const float* w, const float* b,
                        T* y) { gather_cuda(exec, forward_gather(g), x, w, b, y); },
          .backward_data = [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w,
                              T* dx) { gather_cuda(exec, backward_gather(g), dy, w, nullptr, dx); },
          .backward_weight = [](const Exec& exec, const Conv2dSpec& g, const T* dy, const T* x,
                                float* dw) { weight_cuda(exec, g, output_of(g), dy, x, dw); },
          .backward_bias = [](const Exec& exec, const Conv2dSpec& g, const T* dy,
                              float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); },
          .backward_data_plus = [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, const float* b,
                                   T* dx) { gather_cuda(exec, backward_gather(g), dy, w, b, dx); },
          .backward_data_added =
              [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, const T* base, int64_t base_pitch,
                 T* dx) { gather_cuda(exec, backward_gather_added(g, base, base_pitch), dy, w, nullptr, dx); }};
}

template Conv2dImplOf<float> conv2d_cuda_impl<float>();
template Conv2dImplOf<Bf16> conv2d_cuda_impl<Bf16>();

}  // namespace kern::kernels
