// Rows of K values of which each needs a few passes (a maximum, a sum, a result): softmax and the losses on it. One
// functor, written over a Row, serves two ways of working:
//
//   struct SoftmaxForward {
//     static constexpr int kIn = 1, kSums = 0;      // arrays that are read; sums that at() adds to
//     static constexpr bool kOut = true;
//     template <class Row> __device__ void at(const Row& row, int64_t i, Sums<0>&) const {
//       const float m = row.template fold<Greater>([&](int j) { return row.in(j); });
//       ...
//       row.for_each([&](int j) { row.out(j) = expf(row.in(j) - m) * scale; });
//     }
//   };
//
// Up to kMaxThreadRow values, one thread works through a row: blocks of 128 rows are brought into shared memory by
// neighbouring threads that read neighbouring values, with an odd distance from row to row so that threads which walk
// down their rows meet in no bank, and results go back in the same way. So every value is read and written once, in
// whole sectors, whatever K, and passes cost shared memory accesses. Longer rows get a warp each, whose later passes
// find the row in the cache. out(j) may be where in(j) was: it is written after the last look at in(j).
#pragma once
#include "kernels/common/sum.cuh"

namespace kern::kernels {

inline constexpr int kRowThreads = 128, kMaxThreadRow = 64;

struct RowArrays {
  struct In {
    const float* p = nullptr;
    int64_t pitch = 0;
  } in[2];
  float* out = nullptr;
  int64_t out_pitch = 0;
};

struct ThreadRow {
  float* v;     // of the first input and the output
  int64_t gap;  // to the values of the second
  int k;
  __device__ float in(int j) const { return v[j]; }
  __device__ float in2(int j) const { return v[gap + j]; }
  __device__ float& out(int j) const { return v[j]; }
  __device__ bool leads() const { return true; }
  template <class F>
  __device__ void for_each(F f) const {
    for (int j = 0; j < k; ++j) f(j);
  }
  template <class Op, class F>
  __device__ float fold(F f) const {
    float v_of_all = Op::template zero<float>();
    for (int j = 0; j < k; ++j) v_of_all = Op()(v_of_all, f(j));
    return v_of_all;
  }
};
struct WarpRow {
  const float *v, *v2;
  float* to;
  int k;
  __device__ float in(int j) const { return v[j]; }
  __device__ float in2(int j) const { return v2[j]; }
  __device__ float& out(int j) const { return to[j]; }
  __device__ bool leads() const { return threadIdx.x % 32 == 0; }
  template <class F>
  __device__ void for_each(F f) const {
    for (int j = int(threadIdx.x % 32); j < k; j += 32) f(j);
  }
  template <class Op, class F>
  __device__ float fold(F f) const {
    float of_lane = Op::template zero<float>();
    for (int j = int(threadIdx.x % 32); j < k; j += 32) of_lane = Op()(of_lane, f(j));
    return warp_fold<Op>(of_lane);
  }
};

// f(offset in a dense block, offset in shared memory) for the values of `count` rows of k, dealt out to all threads.
template <class F>
__device__ __forceinline__ void for_each_of_tile(int count, int k, int64_t pitch, F f) {
  const int row_step = kRowThreads / k, column_step = kRowThreads % k;
  int row = int(threadIdx.x) / k, column = int(threadIdx.x) % k;
  for (; row < count; row += row_step, column += column_step) {
    if (column >= k) {
      column -= k;
      if (++row >= count) break;
    }
    f(row * pitch + column, row * (k | 1) + column);
  }
}

// One thread per row; blocks take tiles of 128 rows in turn. Shared memory: kIn tiles.
template <class F>
__global__ void __launch_bounds__(kRowThreads)
    thread_rows_kernel(F f, int64_t rows, int k, RowArrays a, Sums<F::kSums>* sums) {
  float* const shared = KERN_DYNAMIC_SHARED(float);
  const int stride = k | 1;
  Sums<F::kSums> mine{};
  for (int64_t first = int64_t(blockIdx.x) * kRowThreads; first < rows; first += int64_t(gridDim.x) * kRowThreads) {
    const int count = rows - first < kRowThreads ? int(rows - first) : kRowThreads;
    if (first >= int64_t(gridDim.x) * kRowThreads) __syncthreads();  // the tile before has been read
#pragma unroll
    for (int i = 0; i < F::kIn; ++i) {
      const float* from = a.in[i].p + first * a.in[i].pitch;
      float* to = shared + i * stride * kRowThreads;
      for_each_of_tile(count, k, a.in[i].pitch, [=](int64_t outside, int inside) { to[inside] = from[outside]; });
    }
    __syncthreads();
    const int r = int(threadIdx.x);
    if (r < count) f.at(ThreadRow{shared + r * stride, stride * kRowThreads, k}, first + r, mine);
    if constexpr (F::kOut) {
      __syncthreads();
      float* to = a.out + first * a.out_pitch;
      for_each_of_tile(count, k, a.out_pitch, [=](int64_t outside, int inside) { to[outside] = shared[inside]; });
    }
  }
  if constexpr (F::kSums > 0) store_block_sums<kRowThreads>(mine, sums);
}
// One warp per row.
template <class F>
__global__ void __launch_bounds__(kRowThreads)
    warp_rows_kernel(F f, int64_t rows, int k, RowArrays a, Sums<F::kSums>* sums) {
  constexpr int kWarps = kRowThreads / 32;
  Sums<F::kSums> mine{};
  for (int64_t i = int64_t(blockIdx.x) * kWarps + threadIdx.x / 32; i < rows; i += int64_t(gridDim.x) * kWarps)
    f.at(WarpRow{a.in[0].p + i * a.in[0].pitch, a.in[1].p + i * a.in[1].pitch, a.out + i * a.out_pitch, k}, i, mine);
  if constexpr (F::kSums > 0) store_block_sums<kRowThreads>(mine, sums);
}

// Blocks of a call: as many as there is work for; where sums are taken, no more than one block can add up.
constexpr int64_t row_blocks(int64_t rows, int64_t k, bool sums) {
  const int64_t wanted = ceil_div(rows, k <= kMaxThreadRow ? kRowThreads : kRowThreads / 32);
  return !sums ? wanted : wanted < 1 ? 1 : wanted > 2048 ? 2048 : wanted;
}
constexpr size_t row_sums_workspace(int64_t rows, int64_t k, int count) {
  return size_t(row_blocks(rows, k, true)) * size_t(count) * sizeof(double);
}
template <class F>
void for_each_class_row(std::string_view name, const Exec& exec, int64_t rows, int64_t k, const RowArrays& a,
                        const F& f, SourceLocation at = SourceLocation::current()) {
  if (k == 0) return;
  const bool threads = k <= kMaxThreadRow;
  const LaunchConfig config{.grid = unsigned(row_blocks(rows, k, F::kSums > 0)),
                            .block = kRowThreads,
                            .shared_bytes = threads ? size_t(F::kIn) * kRowThreads * size_t(k | 1) * sizeof(float) : 0,
                            .stream = stream_of(exec)};
  Sums<F::kSums>* sums = F::kSums ? static_cast<Sums<F::kSums>*>(exec.scratch) : nullptr;
  if (threads) launch(name, at, thread_rows_kernel<F>, config, f, rows, int(k), a, sums);
  else launch(name, at, warp_rows_kernel<F>, config, f, rows, int(k), a, sums);
}
// The same, and finish(sums) by one thread on the GPU; exec.scratch as row_sums_workspace(rows, k, kSums) says.
template <class F, class Finish>
void sum_class_rows(std::string_view name, const Exec& exec, int64_t rows, int64_t k, const RowArrays& a, const F& f,
                    const Finish& finish, SourceLocation at = SourceLocation::current()) {
  for_each_class_row(name, exec, rows, k, a, f, at);
  finish_sums(name, exec, row_blocks(rows, k, true), static_cast<const Sums<F::kSums>*>(exec.scratch), finish, at);
}

}  // namespace kern::kernels
