// Floats rounded to bf16 on the GPU.
#pragma once
#include "kernels/common/bf16.h"
#include "kernels/common/cuda.h"

namespace kern::kernels {

// Two floats as bf16, the first in the lower half.
__device__ __forceinline__ uint32_t to_bf16x2(float low, float high) {
#ifdef KERN_CUDA_EMULATED
  return emulator::round_to_bf16(low) | emulator::round_to_bf16(high) << 16;
#else
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
#endif
}

}  // namespace kern::kernels
