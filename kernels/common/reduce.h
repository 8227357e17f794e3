// Sums on the CPU with the same bits for any number of threads: the problem is cut into chunks by its size alone, every
// chunk is summed in double into a place of its own in scratch, and the chunks are added in their order.
#pragma once
#include <algorithm>

#include "kernels/common/device.h"
#include "kernels/common/layout.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {

// Chunks of a reduction over `rows` rows of `width` values: 16 Ki values each, and no more than 1024 chunks.
struct Chunks {
  int64_t rows, grain;
  constexpr Chunks(int64_t n, int64_t width = 1)
      : rows(n), grain(std::max({int64_t{1}, 16384 / std::max<int64_t>(1, width), ceil_div(n, 1024)})) {}
  constexpr int64_t count() const { return ceil_div(rows, grain); }
};

// sum of f(i) over [0, count), in eight lanes that the compiler may keep in vector registers.
template <class F>
double lane_sum(int64_t count, F&& f) {
  double lane[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int k = 0; k < 8; ++k) lane[k] += double(f(i + k));
  for (int k = 0; i < count; ++i, ++k) lane[k] += double(f(i));
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

// sum over all rows of add(row), a double. Scratch: sum_rows_workspace bytes.
constexpr size_t sum_rows_workspace(int64_t rows, int64_t width) {
  return size_t(Chunks(rows, width).count()) * sizeof(double);
}
template <class F>
double sum_rows(const Exec& exec, int64_t rows, int64_t width, F&& add) {
  const Chunks chunks(rows, width);
  double* part = static_cast<double*>(exec.scratch);
  parallel_for(rows, chunks.grain, [&](int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += add(i);
    part[begin / chunks.grain] = sum;
  });
  double sum = 0;
  for (int64_t k = 0; k < chunks.count(); ++k) sum += part[k];
  return sum;
}

// The same over a flat array: sum of f(i) over [0, n).
constexpr size_t sum_flat_workspace(int64_t n) { return sum_rows_workspace(n, 1); }
template <class F>
double sum_flat(const Exec& exec, int64_t n, F&& f) {
  const Chunks chunks(n);
  double* part = static_cast<double*>(exec.scratch);
  parallel_for(n, chunks.grain, [&](int64_t begin, int64_t end) {
    part[begin / chunks.grain] = lane_sum(end - begin, [&](int64_t i) { return f(begin + i); });
  });
  double sum = 0;
  for (int64_t k = 0; k < chunks.count(); ++k) sum += part[k];
  return sum;
}

// out[c] = scale * sum over rows of f(row, c). Scratch: column_sums_workspace bytes.
constexpr size_t column_sums_workspace(int64_t rows, int64_t c) {
  return size_t(Chunks(rows, c).count() * c) * sizeof(double);
}
template <class F>
void column_sums(const Exec& exec, int64_t rows, int64_t c, float* out, F&& f, double scale = 1) {
  const Chunks chunks(rows, c);
  double* part = static_cast<double*>(exec.scratch);
  parallel_for(rows, chunks.grain, [&](int64_t begin, int64_t end) {
    double* sum = part + begin / chunks.grain * c;
    std::fill_n(sum, c, 0.0);
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < c; ++j) sum[j] += double(f(i, j));
  });
  for (int64_t j = 0; j < c; ++j) {
    double sum = 0;
    for (int64_t k = 0; k < chunks.count(); ++k) sum += part[k * c + j];
    out[j] = float(sum * scale);
  }
}

}  // namespace kern::kernels
