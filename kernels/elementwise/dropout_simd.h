// What the CPU implementations of dropout do by vectors (dropout_simd.cpp).
#pragma once
#include "kernels/common/isa.h"
#include "kernels/elementwise/dropout.h"

namespace kern::kernels {

template <Isa isa>
void dropout_rows(const DropoutSpec& g, uint64_t step, const float* x, float* y);

}  // namespace kern::kernels
