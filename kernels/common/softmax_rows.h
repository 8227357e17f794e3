// Exponentials of rows of channels, for losses that do more with them than one pass.
#pragma once
#include <cstdint>

#include "kernels/common/elementary.h"
#include "kernels/common/simd.h"

namespace kern::kernels {

inline constexpr int64_t kRowBlock = 1024;  // values that stay in the nearest cache between passes

// e = exp(x - max) for `rows` rows of x, with the maximum and the sum of e of every row (softmax_rows.cpp). In all,
// `left` rows may be read from x on.
template <Isa isa>
void row_exponentials(const float* x, int64_t x_pitch, int64_t rows, int64_t left, int64_t c, float* e, int64_t e_pitch,
                      float* maxima, double* sums);

}  // namespace kern::kernels
