// Many filters rounded to bf16, and put in the order that is asked for, by one kernel: kernels/conv/filter_packing.h.
#include <algorithm>

#include "kernels/common/bf16.cuh"
#include "kernels/common/cuda.h"
#include "kernels/common/error.h"
#include "kernels/conv/filter_packing.h"

namespace kern::kernels {
namespace {

// They travel as an argument, of which a kernel may have 4 KiB. Blocks first[j] .. first[j + 1] - 1 are filter j's.
constexpr int kMaxFilters = 80, kPackThreads = 256;
struct ManyFilters {
  struct One {
    const float* from;
    uint32_t* to;
    uint64_t order;  // this and what follows: FilterPacking
    int k, c, taps;
    uint8_t block, depth, parts, transposed;

    constexpr int in() const { return transposed ? k : c; }
    constexpr int out() const { return transposed ? c : k; }
  };
  One all[kMaxFilters];
  int first[kMaxFilters + 1];
  int count;
};
static_assert(sizeof(ManyFilters) <= 4096);

struct Weight {  // the first of a word's two
  int out, tap, in;
};
__device__ __forceinline__ Weight weight_of_matrix(const ManyFilters::One& f, int word) {
  const int inner = f.in() / 2, row = word / inner, out = row / f.taps;
  return {out, row - out * f.taps, (word - row * inner) * 2};
}
__device__ __forceinline__ Weight weight_of_block(const ManyFilters::One& f, int word) {
  // What is left of the word's index when the innermost extent, of n, is taken from it.
  int rest = word;
  const auto take = [&](int n) {
    const int whole = rest, index = whole % n;
    rest = whole / n;
    return index;
  };
  const int pair = take(4), row = take(8), half = take(2), rows = take(f.block / 8), sixteen = take(f.depth / 16);
  const int taps = f.taps / f.parts, tap = take(taps), step = take(f.in() / f.depth), part = take(f.parts);
  return {rest * f.block + rows * 8 + row, int(f.order >> (part * taps + tap) * 4 & 15),
          step * f.depth + sixteen * 16 + half * 8 + pair * 2};
}

// One thread for every two values, which are a word.
__global__ void __launch_bounds__(kPackThreads) pack_filters_kernel(ManyFilters filters) {
  int low = 0, high = filters.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (filters.first[middle] <= int(blockIdx.x)) low = middle;
    else high = middle;
  }
  const ManyFilters::One& one = filters.all[low];
  const int i = (int(blockIdx.x) - filters.first[low]) * kPackThreads + int(threadIdx.x);
  const int outs = one.block ? (one.out() + one.block - 1) / one.block * one.block : one.out();
  if (i >= outs * (one.taps * one.in() / 2)) return;
  const Weight at = one.block ? weight_of_block(one, i) : weight_of_matrix(one, i);
  uint32_t two = 0;
  if (at.out < one.out()) {
    const int step_in = one.transposed ? one.taps * one.c : 1, step_out = one.transposed ? 1 : one.taps * one.c;
    const float* from = one.from + int64_t{at.out} * step_out + int64_t{at.tap} * one.c + int64_t{at.in} * step_in;
    two = to_bf16x2(from[0], from[step_in]);
  }
  one.to[i] = two;
}

}  // namespace

void pack_filters(const Exec& exec, const std::vector<FilterToPack>& filters) {
  for (size_t begin = 0; begin < filters.size(); begin += kMaxFilters) {
    ManyFilters some{};
    some.count = int(std::min<size_t>(kMaxFilters, filters.size() - begin));
    for (int j = 0; j < some.count; ++j) {
      const auto& [packing, from, to] = filters[begin + size_t(j)];
      internal_check(packing.in() % 2 == 0, "filters are packed two values at a time");
      internal_check(!packing.block || (packing.in() % packing.depth == 0 && packing.taps <= 16),
                     "filters are packed in whole stages of at most 16 taps");
      check(packing.size() < int64_t{1} << 31, "convolution on CUDA: a filter of ", packing.size(),
            " weights; kernels count up to 2^31");
      some.all[j] = {.from = from,
                     .to = static_cast<uint32_t*>(to),
                     .order = packing.order,
                     .k = packing.k,
                     .c = packing.c,
                     .taps = packing.taps,
                     .block = uint8_t(packing.block),
                     .depth = uint8_t(packing.depth),
                     .parts = uint8_t(packing.parts),
                     .transposed = packing.transposed};
      some.first[j + 1] = some.first[j] + int(ceil_div(packing.size() / 2, kPackThreads));
    }
    if (some.first[some.count] > 0)
      KERN_LAUNCH(pack_filters_kernel,
                  {.grid = unsigned(some.first[some.count]), .block = kPackThreads, .stream = stream_of(exec)}, some);
  }
}

}  // namespace kern::kernels
