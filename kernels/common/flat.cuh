// Flat arrays on the GPU: a loop over n values in packs of four, the last few one by one. What is done is a functor:
// f.prepare() is called by all threads of a block and gives what they need besides (a step's factors), on which
// at<W>(i) handles the values i .. i + W - 1.
#pragma once
#include "kernels/common/elementwise.cuh"

namespace kern::kernels {

inline constexpr int kFlatThreads = 256;

// One thread for every four values, and for those a whole grid further on.
template <class F>
__global__ void __launch_bounds__(kFlatThreads) flat_kernel(int64_t n, bool wide, F f) {
  const auto ready = f.prepare();
  const int64_t step = int64_t(gridDim.x) * kFlatThreads * 4;
  for (int64_t i = (int64_t(blockIdx.x) * kFlatThreads + threadIdx.x) * 4; i < n; i += step) {
    if (wide && i + 4 <= n) ready.template at<4>(i);
    else
      for (int64_t k = i; k < i + 4 && k < n; ++k) ready.template at<1>(k);
  }
}

// `arrays`: all that f touches with n values.
template <class F>
void for_each_flat(std::string_view name, const Exec& exec, int64_t n, std::initializer_list<const float*> arrays,
                   const F& f, SourceLocation at = SourceLocation::current()) {
  constexpr int64_t kBlocks = 2048;  // a GPU's fill and some: what prepare() costs is paid once a block
  const int64_t wanted = ceil_div(n, kFlatThreads * 4);
  bool wide = true;
  for (const float* p : arrays) wide = wide && reinterpret_cast<uintptr_t>(p) % 16 == 0;
  const LaunchConfig config{
      .grid = unsigned(wanted < kBlocks ? wanted : kBlocks), .block = kFlatThreads, .stream = stream_of(exec)};
  launch(name, at, flat_kernel<F>, config, n, wide, f);
}

}  // namespace kern::kernels
