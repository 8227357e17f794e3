// dropout on the GPU: bound by memory, 8 bytes a value. Masks come four by four, as Philox gives them: without a span
// one thread for each four masks (some 25 integer operations a value, a third of what the GPU does while it moves 8
// bytes), with a span one draw a thread, which then goes down the rows of the sample.
#include "kernels/common/channel_sums.cuh"
#include "kernels/elementwise/dropout.cuh"

namespace kern::kernels {
namespace {

// A dropped value is 0 even where it was not finite.
__device__ __forceinline__ float keep_or_0(float x, float keep) { return keep == 0 ? 0.0f : x * keep; }

// Masks 4 i .. 4 i + 3, which may run over the end of a row. wide: dense, and aligned to 16 bytes.
__global__ void dropout_kernel(DropoutSpec g, const uint64_t* step, const float* x, float* y, bool dense, bool wide) {
  const int64_t block = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, first = 4 * block, n = g.rows * g.c;
  if (first >= n) return;
  const Pack<4> keep = draw_keep<4>(g, *step, first);
  if (wide && first + 4 <= n) {
    Pack<4> v = load<4>(x + first);
#pragma unroll
    for (int k = 0; k < 4; ++k) v.v[k] = keep_or_0(v.v[k], keep.v[k]);
    store(y + first, v);
    return;
  }
  int64_t row = dense ? 0 : first / g.c, column = first - row * g.c;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    if (first + k >= n) return;
    y[row * g.y_pitch() + column] = keep_or_0(x[row * g.x_pitch() + column], keep.v[k]);
    if (++column == g.c && !dense) column = 0, ++row;
  }
}

template <int W>
struct DropoutChannels {
  Pack<W> keep;
  const float* x;
  float* y;
  int64_t x_pitch, y_pitch, rows;
  __device__ Pack<W> read(int64_t row) const { return row < rows ? load<W>(x + row * x_pitch) : Pack<W>{}; }
  __device__ void write(int64_t row, Pack<W> v) const {
    if (row >= rows) return;  // of the last sample, where span does not divide the rows
#pragma unroll
    for (int j = 0; j < W; ++j) v.v[j] = keep_or_0(v.v[j], keep.v[j]);
    store(y + row * y_pitch, v);
  }
};
struct DropoutOfChannels {
  DropoutSpec g;
  const uint64_t* step;
  const float* x;
  float* y;
  template <int W>
  __device__ DropoutChannels<W> of(int64_t sample, int64_t column) const {
    return {draw_keep<W>(g, *step, sample * g.c + column), x + column, y + column, g.x_pitch(), g.y_pitch(), g.rows};
  }
};

void forward(const Exec& exec, const DropoutSpec& g, const uint64_t* step, const float* x, float* y) {
  if (g.span > 1)
    return channel_walk("dropout of channels", exec, ChannelGrid(ceil_div(g.rows, g.span), g.span, g.c),
                        {{x, g.x_pitch()}, {y, g.y_pitch()}}, DropoutOfChannels{g, step, x, y});
  const bool dense = all_dense(g.c, {{x, g.x_pitch()}, {y, g.y_pitch()}}),
             wide = dense && packs_fit(4, {{x, 4}, {y, 4}});
  KERN_LAUNCH(dropout_kernel, over(ceil_div(g.rows * g.c, 4), 256, exec), g, step, x, y, dense, wide);
}

}  // namespace

DropoutImpl dropout_cuda_impl() {
  return {.name = "cuda", .device = Device::cuda, .supports = supports_all, .forward = forward};
}

}  // namespace kern::kernels
