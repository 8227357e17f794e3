// The gathers of bf16 that most convolutions are, on tensor cores, with the filter packed as they read it:
// conv2d_cuda_mma_bf16.cu. What it does not serve is conv2d_cuda_mma.cu's.
#pragma once
#include "kernels/conv/conv2d.h"
#include "kernels/conv/filter_packing.h"

namespace kern::kernels {

struct Gather;  // conv2d_cuda.cuh

// In blocks; nothing where the kernel does not serve: more than one plane, other taps, paddings to channels by 16.
FilterPacking mma_bf16_packing(const Gather& g);
// With the filter as mma_bf16_packing(g) has it, which is not nothing. in: 16-byte packs fit; bias may be null. Tiles of
// 128 or 256 pixels, 0: what suits the case.
void mma_bf16(const Exec& exec, const Gather& g, const Bf16* in, const void* packed, const float* bias, Bf16* out,
              int pixels_of_tile = 0);

// Stages of so many bytes that a block is to have: as many as leave room for another block, or at least two; at most 4.
int mma_stages(int bytes);

// The filter's gradient: conv2d_cuda_dw_bf16.cu. Bytes of scratch, 0 where that does not serve; and the
// gradient itself, if it does (16-byte packs must fit too). With at most so many chunks of pixels, so that a test
// reaches long ones.
size_t mma_bf16_weight_bytes(const Conv2dSpec& g);
bool mma_bf16_weights(const Exec& exec, const Conv2dSpec& g, const Bf16* dy, const Bf16* x, float* dw,
                      int most_chunks = 1 << 20);

// conv2d_cuda_mma_bf16_impl() with tiles of 128 or 256 pixels, for a test.
template <int pixels_of_tile>
Conv2dImplOf<Bf16> conv2d_cuda_mma_bf16_of_tiles();

}  // namespace kern::kernels
