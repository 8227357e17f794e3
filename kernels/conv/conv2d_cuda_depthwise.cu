// Depthwise convolutions: each channel has a filter of its own. Neighbouring threads have neighbouring channels, four
// at a time where that fits, so that all reads are dense; taps find in the L1 cache what others read. 9 multiply-adds
// for 8 bytes: bound by memory, or nearly so by the L1 cache, which gives each value 9 times.
#include "kernels/conv/conv2d_cuda.cuh"

namespace kern::kernels {
namespace {

constexpr int kThreads = 256, kPixels = 4, kMaxTaps = 49;
constexpr int kTaps = 9;  // of which backward_weight has the sums in registers at once

// Threads side by side over packs of channels, a power of two up to 32; the others are lanes over pixels.
int packs_across(int packs) {
  int across = 1;
  while (across < 32 && across < packs) across *= 2;
  return across;
}

// A thread: kPixels outputs of a phase (kernels/conv/conv2d_cuda.cuh) by W channels. The block stages its channels' filters.
template <bool kVolume, int W, class T>
__global__ void __launch_bounds__(kThreads)
    conv2d_depthwise_kernel(Gather g, int across, const T* in, const float* filter, const float* bias, T* out) {
  const GatherPhases of = gather_phases<kVolume>(g, blockIdx.z);
  const int channels = across * W, c0 = blockIdx.y * channels, mine = threadIdx.x % across * W, c = c0 + mine;
  const int lanes = kThreads / across, first = blockIdx.x * (lanes * kPixels) + threadIdx.x / across;
  const int total = outputs_of(g, of);
  float* staged = KERN_DYNAMIC_SHARED(float);  // [tap][channel]
  for (int e = threadIdx.x; e < taps_of(of) * channels; e += kThreads) {
    const int tap = e / channels, k = c0 + e - tap * channels;
    const int in_filter = int(tap_in_filter<kVolume>(g, of, gather_tap<kVolume>(of, tap)));
    staged[e] = k < g.groups ? filter[k * g.w_group + in_filter] : 0.0f;
  }
  __syncthreads();
  if (c >= g.groups) return;

  GatherPixel<kVolume> pixel[kPixels];
  Pack<W> sum[kPixels];
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    pixel[j] = gather_pixel<kVolume>(g, of, first + j * lanes);
    sum[j] = {};
    if (bias)
#pragma unroll
      for (int v = 0; v < W; ++v) sum[j].v[v] = bias[c + v];
  }
  for (int t = 0; t < of.d.taps; ++t)
    for (int r = 0; r < of.h.taps; ++r)
      for (int s = 0; s < of.w.taps; ++s) {
        const Pack<W> f = load<W>(staged + ((t * of.h.taps + r) * of.w.taps + s) * channels + mine);
#pragma unroll
        for (int j = 0; j < kPixels; ++j) {
          const GatherPixel<kVolume> from = pixel[j].moved(t * of.d.advance, r * of.h.advance, s * of.w.advance);
          if (!from.inside(g.extent())) continue;
          const Pack<W> x = load<W>(in + from.row(g.extent()) * g.in_pitch + c);
#pragma unroll
          for (int v = 0; v < W; ++v) sum[j].v[v] += f.v[v] * x.v[v];
        }
      }
#pragma unroll
  for (int j = 0; j < kPixels; ++j) {
    if (first + j * lanes >= total) return;
    const int64_t row = gather_row<kVolume>(g, of, first + j * lanes);
    add_given<W, T>(g, row, c, g.groups - c, sum[j]);
    store(out + row * g.out_pitch + c, sum[j]);
  }
}

template <bool kVolume, int W, class T>
void run(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out) {
  const int packs = g.groups / W, across = packs_across(packs);
  KERN_LAUNCH((conv2d_depthwise_kernel<kVolume, W, T>),
              {.grid = dim3(unsigned(ceil_div(g.most_pixels(), kThreads / across * kPixels)),
                            unsigned(ceil_div(packs, across)), unsigned(g.phases())),
               .block = kThreads,
               .shared_bytes = sizeof(float) * size_t(g.taps()) * size_t(across) * W,
               .stream = stream_of(exec)},
              g, across, in, filter, bias, out);
}
template <int W, class T>
void run(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out) {
  if (g.volume()) run<true, W>(exec, g, in, filter, bias, out);
  else run<false, W>(exec, g, in, filter, bias, out);
}
template <class T>
void gather(const Exec& exec, const Gather& g, const T* in, const float* filter, const float* bias, T* out) {
  if (packs_fit(g.groups, {{in, g.in_pitch}, {out, g.out_pitch}})) run<4>(exec, g, in, filter, bias, out);
  else run<1>(exec, g, in, filter, bias, out);
}

// A thread: W channels of kTaps taps, of each so many pixels of a chunk; a block's lanes are added in order, and a
// second kernel adds the chunks.
struct DepthwiseChunks {  // an argument apart from the spec: of both in one the compiler made slower code
  ConvOutput of_dy;
  int pixels, chunk, chunks;
};
struct DepthwiseWeights : DepthwiseChunks {
  Conv2dSpec g;

  explicit DepthwiseWeights(const Conv2dSpec& spec) : g(spec.flattened()) {
    of_dy = output_of(g);
    check_pixels(g.x_rows(), g.y_rows());
    pixels = int(g.y_rows());
    // 4 blocks for each multiprocessor, if a thread has 8 pixels then; at most 1024 a thread and sum.
    const int64_t wanted = ceil_div(528 * 32, g.c), most = ceil_div(pixels, 64), least = ceil_div(pixels, 8192);
    chunks = int(std::max(least, std::min(wanted, most)));
    chunk = chunks ? int(ceil_div(pixels, chunks)) : 0;
  }
  size_t bytes() const { return size_t(chunks) * size_t(g.w_size()) * sizeof(float); }
};

template <bool kVolume, int W, class T>
__global__ void __launch_bounds__(kThreads) conv2d_depthwise_weight_kernel(Conv2dSpec g, DepthwiseChunks of, int across,
                                                                           const T* dy, const T* x, float* parts) {
  KERN_SHARED(float[kThreads * W], of_thread);
  const int c = (blockIdx.y * across + threadIdx.x % across) * W, lanes = kThreads / across;
  const int tap0 = blockIdx.z * kTaps, taps = g.t * g.r * g.s;
  const int begin = blockIdx.x * of.chunk, end = begin + min(of.chunk, of.pixels - begin);
  Pack<W> sum[kTaps];
#pragma unroll
  for (int t = 0; t < kTaps; ++t) sum[t] = {};
  if (c < g.c)
    for (int index = begin + threadIdx.x / across; index < end; index += lanes) {
      const GatherPixel<kVolume> pixel = pixel_of_dy<kVolume>(g, of.of_dy, index);
      const Pack<W> d = load<W>(dy + index * g.dy_pitch() + c);
      int r = tap0 / g.s, s = tap0 % g.s, t = 0;
      if (kVolume) t = r / g.r, r -= t * g.r;
#pragma unroll
      for (int j = 0; j < kTaps; ++j) {
        const int ih = pixel.h + r * g.dil_h, iw = pixel.w + s * g.dil_w;
        bool inside = r < g.r && unsigned(ih) < unsigned(g.h) && unsigned(iw) < unsigned(g.w);
        int64_t row = int64_t{pixel.image + ih * g.w + iw};
        if constexpr (kVolume) {
          const int id = pixel.d + t * g.dil_d;
          inside = inside && t < g.t && unsigned(id) < unsigned(g.d);
          row += int64_t{id} * g.h * g.w;
        }
        if (inside) {
          const Pack<W> v = load<W>(x + row * g.x_pitch() + c);
#pragma unroll
          for (int i = 0; i < W; ++i) sum[j].v[i] += d.v[i] * v.v[i];
        }
        if (++s == g.s) s = 0, ++r;
        if (kVolume && r == g.r) r = 0, ++t;
      }
    }
#pragma unroll
  for (int t = 0; t < kTaps; ++t) {
    __syncthreads();
    store(&of_thread[threadIdx.x * W], sum[t]);
    __syncthreads();
    if (int(threadIdx.x) < across && c < g.c && tap0 + t < taps)
#pragma unroll
      for (int i = 0; i < W; ++i) {
        float total = 0;
        for (int lane = 0; lane < lanes; ++lane) total += of_thread[(lane * across + threadIdx.x) * W + i];
        parts[blockIdx.x * g.w_size() + int64_t{c + i} * taps + tap0 + t] = total;
      }
  }
}

template <bool kVolume, int W, class T>
void run_weights(const Exec& exec, const DepthwiseWeights& of, const T* dy, const T* x, float* parts) {
  const int packs = of.g.c / W, across = packs_across(packs);
  KERN_LAUNCH((conv2d_depthwise_weight_kernel<kVolume, W, T>),
              {.grid = dim3(unsigned(of.chunks), unsigned(ceil_div(packs, across)),
                            unsigned(ceil_div(of.g.t * of.g.r * of.g.s, kTaps))),
               .block = kThreads,
               .stream = stream_of(exec)},
              of.g, static_cast<const DepthwiseChunks&>(of), across, dy, x, parts);
}
template <int W, class T>
void run_weights(const Exec& exec, const DepthwiseWeights& of, const T* dy, const T* x, float* parts) {
  if (of.g.volume()) run_weights<true, W>(exec, of, dy, x, parts);
  else run_weights<false, W>(exec, of, dy, x, parts);
}
template <class T>
void backward_weight(const Exec& exec, const Conv2dSpec& g, const T* dy, const T* x, float* dw) {
  const DepthwiseWeights of(g);
  float* parts = static_cast<float*>(exec.scratch);
  if (packs_fit(g.c, {{x, g.x_pitch()}, {dy, g.dy_pitch()}})) run_weights<4>(exec, of, dy, x, parts);
  else run_weights<1>(exec, of, dy, x, parts);
  add_chunks(exec, g.w_size(), of.chunks, parts, dw);
}

}  // namespace

template <class T>
Conv2dImplOf<T> conv2d_cuda_depthwise_impl() {
  return {
      .name = std::is_same_v<T, float> ? "cuda_depthwise" : "cuda_depthwise_bf16",
      .device = Device::cuda,
      .supports =
          [](const Conv2dSpec& g) { return g.groups == g.c && g.k == g.c && g.c > 1 && g.t * g.r * g.s <= kMaxTaps; },
      .workspace =
          [](const Conv2dSpec& g) { return std::max(DepthwiseWeights(g).bytes(), BiasSums(g.y_rows(), g.k).bytes()); },
      .forward = [](const Exec& exec, const Conv2dSpec& g, const T* x, const float* w, const float* b,
                    T* y) { gather(exec, forward_gather(g), x, w, b, y); },
      .backward_data = [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w,
                          T* dx) { gather(exec, backward_gather(g), dy, w, nullptr, dx); },
      .backward_weight = backward_weight<T>,
      .backward_bias = [](const Exec& exec, const Conv2dSpec& g, const T* dy,
                          float* db) { bias_cuda(exec, g.y_rows(), g.k, g.dy_pitch(), dy, db); },
      .backward_data_plus = [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, const float* b,
                               T* dx) { gather(exec, backward_gather(g), dy, w, b, dx); },
      .backward_data_added =
          [](const Exec& exec, const Conv2dSpec& g, const T* dy, const float* w, const T* base, int64_t base_pitch,
             T* dx) { gather(exec, backward_gather_added(g, base, base_pitch), dy, w, nullptr, dx); }};
}

template Conv2dImplOf<float> conv2d_cuda_depthwise_impl<float>();
template Conv2dImplOf<Bf16> conv2d_cuda_depthwise_impl<Bf16>();

}  // namespace kern::kernels
