// Exponentials of rows of channels, many short rows in one vectorisable loop.
#pragma once
#include <algorithm>
#include <limits>

#include "kernels/common/elementary.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {

inline constexpr int64_t kRowBlock = 1024;  // values that stay in the nearest cache between passes

// f(begin, end) for blocks of rows of about kRowBlock values, in parallel; at least one row, at most kRowBlock.
template <class F>
void for_each_row_block(int64_t rows, int64_t c, F&& f) {
  const int64_t block = std::clamp<int64_t>(kRowBlock / std::max<int64_t>(1, c), 1, kRowBlock);
  parallel_for(rows, 4 * block, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += block) f(i, std::min(end, i + block));
  });
}

// v = e^v over rows [begin, end)
KERN_INLINE void exponentials(float* v, int64_t pitch, int64_t begin, int64_t end, int64_t c) {
  const int64_t step = pitch == c ? end - begin : 1;  // dense rows in one loop
  for (int64_t i = begin; i < end; i += step) {
    float* row = v + i * pitch;
    for (int64_t j = 0; j < step * c; ++j) row[j] = exponential(row[j]);
  }
}

// result[i] = f(...f(f(first, row i [0]), row i [1])...), eight rows at a time: each is a chain of operations that wait
// for one another, and eight chains run side by side.
template <class T, class F>
KERN_INLINE void fold_rows(const float* x, int64_t pitch, int64_t rows, int64_t c, T first, T* result, const F& f) {
  constexpr int64_t kChains = 8;
  for (int64_t i = 0; i < rows; i += kChains) {
    const float* from = x + i * pitch;
    T value[kChains];
    if (rows - i >= kChains) {
      for (T& v : value) v = first;
      for (int64_t j = 0; j < c; ++j)
        for (int64_t r = 0; r < kChains; ++r) value[r] = f(value[r], from[r * pitch + j]);
      for (int64_t r = 0; r < kChains; ++r) result[i + r] = value[r];
    } else {
      for (int64_t r = 0; r < rows - i; ++r) {
        T v = first;
        for (int64_t j = 0; j < c; ++j) v = f(v, from[r * pitch + j]);
        result[i + r] = v;
      }
    }
  }
}

// e = exp(x - max) for `rows` rows, at most kRowBlock, with the maximum and the sum of e of every row.
KERN_INLINE void row_exponentials(const float* x, int64_t x_pitch, int64_t rows, int64_t c, float* e, int64_t e_pitch,
                                  float* maxima, double* sums) {
  fold_rows(x, x_pitch, rows, c, -std::numeric_limits<float>::infinity(), maxima,
            [](float m, float v) { return v > m ? v : m; });
  for (int64_t i = 0; i < rows; ++i) {
    const float *from = x + i * x_pitch, m = maxima[i];
    float* to = e + i * e_pitch;
    for (int64_t j = 0; j < c; ++j) to[j] = from[j] - m;
  }
  exponentials(e, e_pitch, 0, rows, c);
  fold_rows(e, e_pitch, rows, c, 0.0, sums, [](double sum, float v) { return sum + double(v); });
}

// For every row: y = exp(x - max), then finish(x row, y row, max, sum of y).
template <class Finish>
void softmax_rows(int64_t rows, int64_t c, const float* x, int64_t x_pitch, float* y, int64_t y_pitch,
                  Finish&& finish) {
  if (c == 0) return;
  for_each_row_block(rows, c, [&](int64_t begin, int64_t end) {
    float maxima[kRowBlock];
    double sums[kRowBlock];
    row_exponentials(x + begin * x_pitch, x_pitch, end - begin, c, y + begin * y_pitch, y_pitch, maxima, sums);
    for (int64_t i = begin; i < end; ++i) finish(x + i * x_pitch, y + i * y_pitch, maxima[i - begin], sums[i - begin]);
  });
}

}  // namespace kern::kernels
