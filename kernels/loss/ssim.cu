#include "kernels/common/sum.cuh"
#include "kernels/loss/ssim.h"

namespace kern::kernels {
namespace {

// A block of 32 x 8 threads makes 32 x 16 places of one channel of one sample. Both passes of the window go through
// shared memory: the 42 x 26 values under the block's windows are read once, their sums along the rows are kept for 32
// columns, and each thread adds two columns of those. In double, since second moments less squared means cancel; 88
// multiply-adds a place for the four moments and 66 for the three maps of backward, which a data-centre GPU does
// about as fast as its caches deliver; on others it is the limit, some tenths of a millisecond for a batch of images.
constexpr int kReach = kSsimWindow - 1, kColumns = 32, kLines = 16, kThreadLines = 8,
              kThreads = kColumns * kThreadLines;
constexpr int kInColumns = kColumns + kReach, kInLines = kLines + kReach;

struct Tiles {  // of an image of h x w places; grid (columns x lines, channels, samples)
  int64_t across, down, c, n;
  Tiles(int64_t h, int64_t w, const SsimSpec& g)
      : across(ceil_div(w, kColumns)), down(ceil_div(h, kLines)), c(g.c), n(g.n) {}
  int64_t count() const { return across * down * c * n; }
  LaunchConfig config(const Exec& exec) const {
    return {.grid = unsigned(count()), .block = dim3(kColumns, kThreadLines), .stream = stream_of(exec)};
  }
};
struct Tile {
  int64_t n, c, line, column;  // the sample, channel and first place
};
__device__ __forceinline__ Tile tile_of_block(const Tiles& t) {
  const unsigned across = unsigned(t.across), down = unsigned(t.down), c = unsigned(t.c);
  unsigned i = blockIdx.x;
  const unsigned column = i % across;
  const unsigned line = (i /= across) % down;
  const unsigned channel = (i /= down) % c;
  return {int64_t(i / c), int64_t(channel), int64_t(line) * kLines, int64_t(column) * kColumns};
}

// f(line, column of the block's first) for everything that the block's windows touch, dealt out to its threads.
template <class F>
__device__ __forceinline__ void for_each_in(F f) {
  for (int line = int(threadIdx.y); line < kInLines; line += kThreadLines)
    for (int column = int(threadIdx.x); column < kInColumns; column += kColumns) f(line, column);
}

// The values whose moments are wanted, 0 outside the image.
struct Pixels {
  float x[kInLines][kInColumns], y[kInLines][kInColumns];
};
constexpr int kMoments = 4, kMaps = 3;
template <int N>
struct RowSums {
  double v[N][kInLines][kColumns];
};

// f(p, q, place) for the block's places. Every thread of the block calls.
template <class F>
__device__ __forceinline__ void for_each_place(const SsimSpec& g, const SsimWeights& weights, const Tile& tile,
                                               const float* x, const float* y, F f) {
  KERN_SHARED(Pixels, in);
  KERN_SHARED(RowSums<kMoments>, sums);
  for_each_in([&](int line, int column) {
    const int64_t h = tile.line + line, w = tile.column + column;
    const bool inside = h < g.h && w < g.w;
    const int64_t pixel = (tile.n * g.h + h) * g.w + w;
    in.x[line][column] = inside ? x[pixel * g.x_pitch() + tile.c] : 0;
    in.y[line][column] = inside ? y[pixel * g.y_pitch() + tile.c] : 0;
  });
  __syncthreads();
  const int column = int(threadIdx.x);
  for (int line = int(threadIdx.y); line < kInLines; line += kThreadLines) {
    double m[kMoments] = {};
#pragma unroll
    for (int s = 0; s < kSsimWindow; ++s) {
      const double a = double(in.x[line][column + s]), b = double(in.y[line][column + s]), w = weights.w[s];
      m[0] += w * a, m[1] += w * b, m[2] += w * (a * a + b * b), m[3] += w * (a * b);
    }
#pragma unroll
    for (int k = 0; k < kMoments; ++k) sums.v[k][line][column] = m[k];
  }
  __syncthreads();
  for (int line = int(threadIdx.y); line < kLines; line += kThreadLines) {
    const int64_t p = tile.line + line, q = tile.column + column;
    if (p >= g.p() || q >= g.q()) continue;
    double m[kMoments] = {};
#pragma unroll
    for (int r = 0; r < kSsimWindow; ++r)
#pragma unroll
      for (int k = 0; k < kMoments; ++k) m[k] += weights.w[r] * sums.v[k][line + r][column];
    f(p, q, ssim_place(m[0], m[1], m[2], m[3], g.c1(), g.c2()));
  }
}

__global__ void __launch_bounds__(kThreads)
    ssim_forward_kernel(SsimSpec g, SsimWeights weights, Tiles tiles, const float* x, const float* y, double* sums) {
  double sum = 0;
  for_each_place(g, weights, tile_of_block(tiles), x, y,
                 [&](int64_t, int64_t, const SsimPlace<double>& place) { sum += place.s; });
  KERN_SHARED(double[kThreads], of_thread);
  const int id = int(threadIdx.y) * kColumns + int(threadIdx.x);
  of_thread[id] = sum;
  __syncthreads();
  if (id >= 32) return;
  for (int i = id + 32; i < kThreads; i += 32) sum += of_thread[i];
  sum = warp_sum(sum);
  if (id == 0) sums[blockIdx.x] = sum;
}
struct Finish {
  SsimSpec g;
  float* loss;
  __device__ void operator()(const Sums<1>& sum) const { *loss = float(1 - sum.v[0] / double(g.places())); }
};

// Backward, stage one: the derivatives of every place, as maps [3][N,P,Q,C].
__global__ void __launch_bounds__(kThreads)
    ssim_maps_kernel(SsimSpec g, SsimWeights weights, Tiles tiles, const float* x, const float* y, float* maps) {
  const Tile tile = tile_of_block(tiles);
  for_each_place(g, weights, tile, x, y, [&](int64_t p, int64_t q, const SsimPlace<double>& place) {
    float* to = maps + ((tile.n * g.p() + p) * g.q() + q) * g.c + tile.c;
    to[0] = float(place.by_mean), to[g.places()] = float(place.by_product),
    to[2 * g.places()] = float(place.by_squares);
  });
}
// Stage two: every pixel gathers from the windows it lies in; window q = column - s covers it with weight s.
struct Maps {
  float v[kMaps][kInLines][kInColumns];
};
__global__ void __launch_bounds__(kThreads)
    ssim_backward_kernel(SsimSpec g, SsimWeights weights, Tiles tiles, const float* dy, const float* x, const float* y,
                         const float* maps, float* dx) {
  KERN_SHARED(Maps, in);
  KERN_SHARED(RowSums<kMaps>, sums);
  const Tile tile = tile_of_block(tiles);
  for_each_in([&](int line, int column) {
    const int64_t p = tile.line + line - kReach, q = tile.column + column - kReach;
    const bool inside = p >= 0 && q >= 0 && p < g.p() && q < g.q();
    const int64_t place = ((tile.n * g.p() + p) * g.q() + q) * g.c + tile.c;
#pragma unroll
    for (int k = 0; k < kMaps; ++k) in.v[k][line][column] = inside ? maps[k * g.places() + place] : 0;
  });
  __syncthreads();
  const int column = int(threadIdx.x);
  for (int line = int(threadIdx.y); line < kInLines; line += kThreadLines)
#pragma unroll
    for (int k = 0; k < kMaps; ++k) {
      double sum = 0;
#pragma unroll
      for (int s = 0; s < kSsimWindow; ++s) sum += weights.w[s] * double(in.v[k][line][column + kReach - s]);
      sums.v[k][line][column] = sum;
    }
  __syncthreads();
  const double scale = -double(*dy) / double(g.places());
  for (int line = int(threadIdx.y); line < kLines; line += kThreadLines) {
    const int64_t h = tile.line + line, w = tile.column + column;
    if (h >= g.h || w >= g.w) continue;
    double sum[kMaps] = {};
#pragma unroll
    for (int r = 0; r < kSsimWindow; ++r)
#pragma unroll
      for (int k = 0; k < kMaps; ++k) sum[k] += weights.w[r] * sums.v[k][line + kReach - r][column];
    const int64_t pixel = (tile.n * g.h + h) * g.w + w;
    const double a = double(x[pixel * g.x_pitch() + tile.c]), b = double(y[pixel * g.y_pitch() + tile.c]);
    dx[pixel * g.dx_pitch() + tile.c] = float(scale * (sum[0] + b * sum[1] + 2 * a * sum[2]));
  }
}

}  // namespace

Implementation<Ssim> Ssim::cuda() {
  return {
      .name = "cuda",
      .device = Device::cuda,
      .supports = supports_all,
      .workspace =
          [](const SsimSpec& g) {
            return std::max(size_t(Tiles(g.p(), g.q(), g).count()) * sizeof(double),
                            size_t(kMaps * g.places()) * sizeof(float));
          },
      .forward =
          [](const Exec& exec, const Spec& g, const Forward<float>& a) {
            double* sums = static_cast<double*>(exec.scratch);
            const Tiles tiles(g.p(), g.q(), g);
            KERN_LAUNCH(ssim_forward_kernel, tiles.config(exec), g, SsimWeights(), tiles, a.x, a.y, sums);
            finish_sums("ssim_forward", exec, tiles.count(), reinterpret_cast<const Sums<1>*>(sums), Finish{g, a.loss});
          },
      .backward =
          [](const Exec& exec, const Spec& g, const Backward<float>& a) {
            float* maps = static_cast<float*>(exec.scratch);
            const Tiles places(g.p(), g.q(), g), pixels(g.h, g.w, g);
            KERN_LAUNCH(ssim_maps_kernel, places.config(exec), g, SsimWeights(), places, a.x, a.y, maps);
            KERN_LAUNCH(ssim_backward_kernel, pixels.config(exec), g, SsimWeights(), pixels, a.dy, a.x, a.y, maps,
                        a.dx);
          }};
}

}  // namespace kern::kernels
