// The pixel that a row of channels belongs to, in a batch of images.
#pragma once
#include "kernels/common/cuda.h"

namespace kern::kernels {

struct PixelIndex {
  int64_t n;
  int h, w;
};
// Of row `i` of [N,H,W,C]. 32-bit divisions, where they serve, take a fifth of the time of 64-bit ones.
__device__ __forceinline__ PixelIndex pixel_of(int64_t i, int h, int w) {
  if (i >> 32) {
    const int64_t line = i / w;
    return {line / h, int(line % h), int(i - line * w)};
  }
  const uint32_t at = uint32_t(i), line = at / uint32_t(w), n = line / uint32_t(h);
  return {int64_t(n), int(line - n * uint32_t(h)), int(at - line * uint32_t(w))};
}

}  // namespace kern::kernels
