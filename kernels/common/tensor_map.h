// Tensor maps: how a bulk copy (kernels/common/bulk_copy.cuh) walks through a tensor in memory. A kernel takes one as
// `const __grid_constant__ CUtensorMap`.
#pragma once
#include <vector>

#include "kernels/common/cuda.h"
#ifdef KERN_CUDA_EMULATED
#include "kernels/common/emulator/tensor_map.h"
#else
#include <cuda.h>
#endif

namespace kern::kernels {

// One dimension, the innermost first, whose neighbours lie side by side in memory.
struct TensorMapAxis {
  int64_t size;    // values; what lies outside 0 .. size - 1 is read as zero
  int64_t stride;  // in values, from one to the next; a multiple of 16 bytes. Of the innermost: 1
  int box;         // values that a copy brings, from the coordinate that it names on: up to 256
};
// What `data` (on a multiple of 16 bytes) is when it is read in boxes. With a swizzle the box has at most 128 (64, 32)
// bytes along the first axis; at least 16 and a multiple of it without. Throws where the driver refuses, and on one that
// knows no tensor maps (before CUDA 12).
CUtensorMap tensor_map(CUtensorMapDataType type, size_t value_bytes, const void* data,
                       const std::vector<TensorMapAxis>& axes, CUtensorMapSwizzle swizzle);

// Whether the process' device has bulk tensor copies and wgmma as sm_90a has them: compute capability 9.0, no other.
bool device_is_hopper();

}  // namespace kern::kernels
