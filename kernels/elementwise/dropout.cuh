// The masks of dropout.h on the GPU.
#pragma once
#include "kernels/common/elementwise.cuh"
#include "kernels/elementwise/dropout.h"

namespace kern::kernels {

// The factors (scale or 0) of masks first .. first + W - 1, where W divides first.
template <int W>
__device__ __forceinline__ Pack<W> draw_keep(const DropoutSpec& g, uint64_t step, int64_t first) {
  static_assert(W == 1 || W == 4);
  const Random4 words = g.words(step, first / 4);
  const int at = W == 4 ? 0 : int(first % 4);
  Pack<W> keep;
#pragma unroll
  for (int j = 0; j < W; ++j) {
    const uint32_t word = at == 0 ? words.v[j] : at == 1 ? words.v[1] : at == 2 ? words.v[2] : words.v[3];
    keep.v[j] = g.keeps(word) ? g.scale() : 0.0f;
  }
  return keep;
}

}  // namespace kern::kernels
