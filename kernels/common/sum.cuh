// Sums over a whole array on the card, the same bits every time: blocks of fixed stretches, then one block over their
// sums. What is summed is a functor value(row, column).
#pragma once
#include "kernels/common/block.cuh"
#include "kernels/common/elementwise.cuh"

namespace kern::kernels {

inline constexpr int kSumThreads = 256;
// Stretches: enough blocks to fill a card, few enough that one block can add their sums.
constexpr int64_t sum_blocks(int64_t n) {
  const int64_t wanted = ceil_div(n, 4 * kSumThreads);
  return wanted < 1 ? 1 : wanted > 1024 ? 1024 : wanted;
}
constexpr size_t device_sum_workspace(int64_t n) { return size_t(sum_blocks(n)) * sizeof(double); }

// One block per stretch: thread i adds values i, i + 256, ... of it in their own type, in double every 16 values.
template <class F>
__global__ void sum_stretches_kernel(int64_t n, int64_t c, int64_t stretch, F value, double* sums) {
  const int64_t begin = blockIdx.x * stretch, end = begin + stretch < n ? begin + stretch : n;
  double total = 0;
  decltype(value(0, 0)) few = 0;
  int count = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kSumThreads) {
    const int64_t row = c == n ? 0 : i / c;
    few += value(row, i - row * c);
    if (++count == 16) total += double(few), few = 0, count = 0;
  }
  total = block_sum<kSumThreads>(total + double(few));
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}
// One block: *out = scale * (sum of the sums).
template <class Unused = void>
__global__ void sum_of_sums_kernel(int64_t n, const double* sums, double scale, float* out) {
  double total = 0;
  for (int64_t i = threadIdx.x; i < n; i += kSumThreads) total += sums[i];
  total = block_sum<kSumThreads>(total);
  if (threadIdx.x == 0) *out = float(scale * total);
}

// The first stage: sums[0 .. returned count). exec.scratch as device_sum_workspace(rows * c) says.
template <class F>
int64_t stretch_sums(std::string_view name, const Exec& exec, int64_t rows, int64_t c, bool dense, const F& value,
                     double* sums, SourceLocation at = SourceLocation::current()) {
  const int64_t n = rows * c, blocks = sum_blocks(n);
  const LaunchConfig config{.grid = unsigned(blocks), .block = kSumThreads, .stream = stream_of(exec)};
  launch(name, at, sum_stretches_kernel<F>, config, n, dense ? n : c, ceil_div(n, blocks), value, sums);
  return blocks;
}

// *out = scale * sum of value(row, column) over rows x c; where all that is read is dense, as one long row.
// exec.scratch as device_sum_workspace(rows * c) says.
template <class F>
void device_sum(std::string_view name, const Exec& exec, int64_t rows, int64_t c, bool dense, const F& value,
                float* out, double scale = 1, SourceLocation at = SourceLocation::current()) {
  double* sums = static_cast<double*>(exec.scratch);
  const int64_t blocks = stretch_sums(name, exec, rows, c, dense, value, sums, at);
  const LaunchConfig config{.grid = 1, .block = kSumThreads, .stream = stream_of(exec)};
  launch(name, at, sum_of_sums_kernel<>, config, blocks, sums, scale, out);
}

}  // namespace kern::kernels
