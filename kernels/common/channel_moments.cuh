// Mean and sum of squared deviations per channel on the GPU (kernels/common/channel_sums.cuh has the frame), merged by
// Chan's formula on every level: a thread takes 2 or 8 rows at once, exactly round their own mean, and merges them in
// float; threads and blocks are merged in double in a fixed order. A thread counts from its first value on, so that a
// large mean costs no digits. Reads every value once: bound by memory (about 8 operations a value).
#pragma once
#include "kernels/common/channel_sums.cuh"

namespace kern::kernels {

// Chan, Golub and LeVeque 1979: the moments of two sets together.
struct Moments {
  double count = 0, mean = 0, squares = 0;  // squares: the sum of (x - mean)^2
  __device__ void merge(const Moments& b) {
    if (b.count == 0) return;
    const double both = count + b.count, share = b.count / both, apart = b.mean - mean;
    mean += apart * share;
    squares += b.squares + apart * apart * count * share;
    count = both;
  }
};

// all: count, W means, W sums of squares of a block's rows, for channels column .. column + W - 1 in the threads below
// share.lanes. All of the block must call.
template <int W, class T>
__device__ __forceinline__ void block_moments(const ChannelShare& share, const T* x, int64_t pitch,
                                              double (&all)[1 + 2 * W]) {
  float count = 0, shift[W] = {}, mean[W] = {}, squares[W] = {};  // mean: beyond shift
  if (!share.idle)
    walk_rows<W == 1 ? 8 : 4>(share, ColumnsOfThread<W, T>{x + share.column, pitch},
                              [&]<int n>(int64_t, const Pack<W>(&v)[n]) {
                                if (count == 0) {
#pragma unroll
                                  for (int j = 0; j < W; ++j) shift[j] = v[0].v[j];
                                }
                                count += float(n);
                                const float part = float(n) / count;
#pragma unroll
                                for (int j = 0; j < W; ++j) {
                                  float sum = 0, around = 0;
#pragma unroll
                                  for (int k = 0; k < n; ++k) sum += v[k].v[j] - shift[j];
                                  const float middle = sum * (1.0f / float(n)), apart = middle - mean[j];
#pragma unroll
                                  for (int k = 0; k < n; ++k) {
                                    const float from = v[k].v[j] - shift[j] - middle;
                                    around += from * from;
                                  }
                                  mean[j] += apart * part;
                                  squares[j] += around + apart * apart * (count - float(n)) * part;
                                }
                              });
  all[0] = double(count);
#pragma unroll
  for (int j = 0; j < W; ++j) all[1 + j] = double(shift[j]) + double(mean[j]), all[1 + W + j] = double(squares[j]);
  fold_rows(all, share.lanes, share.at_once, [](double(&a)[1 + 2 * W], const double(&b)[1 + 2 * W]) {
    if (b[0] == 0) return;
    const double before = a[0], both = before + b[0], part = b[0] / both;
#pragma unroll
    for (int j = 0; j < W; ++j) {
      const double apart = b[1 + j] - a[1 + j];
      a[1 + j] += apart * part;
      a[1 + W + j] += b[1 + W + j] + apart * apart * before * part;
    }
    a[0] = both;
  });
}

// The moments of the rows of a block, per channel: [part][mean, squares][C]; g.rows_of_chunk(its chunk) is the count.
template <int W, class T>
__global__ void __launch_bounds__(kChannelThreads)
    channel_moments_kernel(ChannelGrid g, const T* x, int64_t pitch, double* moments) {
  const ChannelShare share = channel_share<W>(g);
  double all[1 + 2 * W];
  block_moments<W>(share, x, pitch, all);
  if (int(threadIdx.x) >= share.lanes || share.idle) return;
  double* to = moments + share.part * 2 * g.c + share.column;
#pragma unroll
  for (int j = 0; j < W; ++j) to[j] = all[1 + j], to[g.c + j] = all[1 + W + j];
}
// moments: g.sums_bytes(2) of scratch.
template <class T>
void channel_moments(const Exec& exec, const ChannelGrid& g, const T* x, int64_t pitch, double* moments,
                     SourceLocation at = SourceLocation::current()) {
  const LaunchConfig config{
      .grid = dim3(unsigned(g.parts()), unsigned(g.tiles)), .block = kChannelThreads, .stream = stream_of(exec)};
  if (packs_fit(g.c, {{x, pitch}}))
    launch("channel moments", at, channel_moments_kernel<4, T>, config, g, x, pitch, moments);
  else launch("channel moments", at, channel_moments_kernel<1, T>, config, g, x, pitch, moments);
}

// Merges m over the threads t, t + lanes, ... of a block into thread t < lanes.
__device__ __forceinline__ Moments merge_rows_of_block(const Moments& m, int lanes, int rows) {
  double all[3] = {m.count, m.mean, m.squares};
  fold_rows(all, lanes, rows, [](double(&a)[3], const double(&b)[3]) {
    Moments merged{a[0], a[1], a[2]};
    merged.merge({b[0], b[1], b[2]});
    a[0] = merged.count, a[1] = merged.mean, a[2] = merged.squares;
  });
  return {all[0], all[1], all[2]};
}

}  // namespace kern::kernels
