// Many filters rounded to bf16 by one kernel: kernels/conv/filter_packing.h.
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
    int words, inner, taps;           // of two values; words of the innermost extent; between it and the outermost
    int step_in, step_tap, step_out;  // in `from`
  };
  One all[kMaxFilters];
  int first[kMaxFilters + 1];
  int count;
};
static_assert(sizeof(ManyFilters) <= 4096);

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
  if (i >= one.words) return;
  const int row = i / one.inner, c = (i - row * one.inner) * 2, out = row / one.taps;
  const float* from =
      one.from + int64_t{out} * one.step_out + int64_t{row - out * one.taps} * one.step_tap + int64_t{c} * one.step_in;
  one.to[i] = to_bf16x2(from[0], from[one.step_in]);
}

}  // namespace

void pack_filters(const Exec& exec, const std::vector<FilterToPack>& filters) {
  for (size_t begin = 0; begin < filters.size(); begin += kMaxFilters) {
    ManyFilters some{};
    some.count = int(std::min<size_t>(kMaxFilters, filters.size() - begin));
    for (int j = 0; j < some.count; ++j) {
      const auto& [packing, from, to] = filters[begin + size_t(j)];
      const auto [k, taps, c, transposed] = packing;
      internal_check((transposed ? k : c) % 2 == 0, "filters are packed two values at a time");
      check(packing.size() < int64_t{1} << 31, "convolution on CUDA: a filter of ", packing.size(),
            " weights; kernels count up to 2^31");
      some.all[j] = {.from = from,
                     .to = static_cast<uint32_t*>(to),
                     .words = int(packing.size() / 2),
                     .inner = (transposed ? k : c) / 2,
                     .taps = taps,
                     .step_in = transposed ? taps * c : 1,
                     .step_tap = c,
                     .step_out = transposed ? 1 : taps * c};
      some.first[j + 1] = some.first[j] + int(ceil_div(some.all[j].words, kPackThreads));
    }
    if (some.first[some.count] > 0)
      KERN_LAUNCH(pack_filters_kernel,
                  {.grid = unsigned(some.first[some.count]), .block = kPackThreads, .stream = stream_of(exec)}, some);
  }
}

}  // namespace kern::kernels
