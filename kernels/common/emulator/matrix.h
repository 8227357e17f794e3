// Warp-wide matrix instructions under emulation; kernels/common/mma.cuh says what each does.
#pragma once
#include <cstdint>

#include "kernels/common/source_location.h"

namespace kern::emulator {

uint32_t round_to_tf32(float v);
uint32_t round_to_bf16(float v);
void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at);
void mma_bf16_short(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at);
void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], SourceLocation at);
void load_matrices(uint32_t (&out)[4], const void* row, SourceLocation at);
void load_matrices_transposed(uint32_t* out, unsigned matrices, const void* row, SourceLocation at);

}  // namespace kern::emulator
