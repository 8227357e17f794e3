// Sums over a whole array on the GPU, the same bits every time, and what is made of them there: blocks of fixed
// chunks, then one block over their sums. What is summed is a functor value(row, column), one number or Terms<N>.
#pragma once
#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"

namespace kern::kernels {

inline constexpr int kSumThreads = 256;
// Chunks: enough blocks to fill a GPU, few enough that one block can add their sums.
constexpr int64_t sum_blocks(int64_t n) {
  const int64_t wanted = ceil_div(n, 4 * kSumThreads);
  return wanted < 1 ? 1 : wanted > 1024 ? 1024 : wanted;
}
constexpr size_t device_sums_workspace(int64_t n, int count) {
  return size_t(sum_blocks(n)) * size_t(count) * sizeof(double);
}

template <int N, class T = float>
struct Terms {
  T v[N];
};
template <int N>
struct Sums {
  double v[N];
};
template <>
struct Sums<0> {};

// sums[block] = what the threads of a block bring, for the second stage. All must call.
template <int kThreads, int N>
__device__ __forceinline__ void store_block_sums(const Sums<N>& mine, Sums<N>* sums) {
#pragma unroll
  for (int k = 0; k < N; ++k) {
    const double total = block_sum<kThreads>(mine.v[k]);
    if (threadIdx.x == 0) sums[blockIdx.x].v[k] = total;
  }
}

// One block per chunk: thread i adds values i, i + 256, ... of it in their own type, in double every 16 values.
template <int N, class F>
__global__ void sums_of_chunks_kernel(int64_t n, int64_t c, int64_t chunk, F value, Sums<N>* sums) {
  const int64_t begin = blockIdx.x * chunk, end = begin + chunk < n ? begin + chunk : n;
  Sums<N> total{};
  decltype(value(0, 0)) few{};
  int count = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kSumThreads) {
    const int64_t row = c == n ? 0 : i / c;
    const auto now = value(row, i - row * c);
#pragma unroll
    for (int k = 0; k < N; ++k) few.v[k] += now.v[k];
    if (++count < 16) continue;
#pragma unroll
    for (int k = 0; k < N; ++k) total.v[k] += double(few.v[k]), few.v[k] = 0;
    count = 0;
  }
#pragma unroll
  for (int k = 0; k < N; ++k) total.v[k] += double(few.v[k]);
  store_block_sums<kSumThreads>(total, sums);
}
// One block: finish(sum of the n sums), called by one thread.
template <int N, class Finish>
__global__ void finish_sums_kernel(int64_t n, const Sums<N>* sums, Finish finish) {
  Sums<N> total{};
  for (int64_t i = threadIdx.x; i < n; i += kSumThreads)
#pragma unroll
    for (int k = 0; k < N; ++k) total.v[k] += sums[i].v[k];
#pragma unroll
  for (int k = 0; k < N; ++k) total.v[k] = block_sum<kSumThreads>(total.v[k]);
  if (threadIdx.x == 0) finish(total);
}
template <int N, class Finish>
void finish_sums(std::string_view name, const Exec& exec, int64_t n, const Sums<N>* sums, const Finish& finish,
                 SourceLocation at = SourceLocation::current()) {
  const LaunchConfig config{.grid = 1, .block = kSumThreads, .stream = stream_of(exec)};
  launch(name, at, finish_sums_kernel<N, Finish>, config, n, sums, finish);
}

// finish(the N sums of the Terms<N> value(row, column) over rows x c), called by one thread on the GPU; `dense`: all
// that is read is dense, as one long row. exec.scratch as device_sums_workspace(rows * c, N) says.
template <int N, class F, class Finish>
void device_sums(std::string_view name, const Exec& exec, int64_t rows, int64_t c, bool dense, const F& value,
                 const Finish& finish, SourceLocation at = SourceLocation::current()) {
  const int64_t n = rows * c, blocks = sum_blocks(n);
  Sums<N>* sums = static_cast<Sums<N>*>(exec.scratch);
  const LaunchConfig config{.grid = unsigned(blocks), .block = kSumThreads, .stream = stream_of(exec)};
  launch(name, at, sums_of_chunks_kernel<N, F>, config, n, dense ? n : c, ceil_div(n, blocks), value, sums);
  finish_sums(name, exec, blocks, sums, finish, at);
}

struct MeanOfSums {  // *mean = v[0] / v[1], *divisor = v[1]; nothing to average gives 0
  float *mean, *divisor;
  __device__ void operator()(const Sums<2>& sums) const {
    *divisor = float(sums.v[1]);
    *mean = sums.v[1] == 0 ? 0.0f : float(sums.v[0] / sums.v[1]);
  }
};

// --- one sum ---
template <class F>
struct OneTerm {
  F value;
  __device__ auto operator()(int64_t row, int64_t column) const {
    return Terms<1, decltype(value(row, column))>{{value(row, column)}};
  }
};
struct ScaledSum {
  float* out;
  double scale;
  __device__ void operator()(const Sums<1>& sum) const { *out = float(scale * sum.v[0]); }
};
constexpr size_t device_sum_workspace(int64_t n) { return device_sums_workspace(n, 1); }
// *out = scale * sum of value(row, column) over rows x c; the rest as device_sums says.
template <class F>
void device_sum(std::string_view name, const Exec& exec, int64_t rows, int64_t c, bool dense, const F& value,
                float* out, double scale = 1, SourceLocation at = SourceLocation::current()) {
  device_sums<1>(name, exec, rows, c, dense, OneTerm<F>{value}, ScaledSum{out, scale}, at);
}

}  // namespace kern::kernels
