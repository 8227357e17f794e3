// Arrays of up to six dimensions with a stride for each, in values: 0 repeats what there is (broadcasting), a negative
// one goes backwards.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

namespace kern::kernels {

inline constexpr int kMaxDims = 6;
using Dims = std::array<int64_t, kMaxDims>;  // outermost first; sizes of 1 in front where there are fewer

constexpr int64_t size_of(const Dims& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}

// Where value i, counted row by row, lies in each of N arrays. Index: uint32_t where it serves, for its divisions take a
// fifth of the time on a GPU.
template <class Index, size_t N>
constexpr std::array<int64_t, N> offsets_of(Index i, const Dims& sizes, const std::array<Dims, N>& strides) {
  std::array<int64_t, N> offsets{};
  for (int d = kMaxDims - 1; d >= 0 && i > 0; --d) {
    const Index rest = i / Index(sizes[size_t(d)]), here = i - rest * Index(sizes[size_t(d)]);
    for (size_t k = 0; k < N; ++k) offsets[k] += int64_t(here) * strides[k][size_t(d)];
    i = rest;
  }
  return offsets;
}

// f(first, count, offsets) for the runs along the last dimension that values begin .. end - 1 consist of.
template <size_t N, class F>
void for_each_run(const Dims& sizes, const std::array<Dims, N>& strides, int64_t begin, int64_t end, F&& f) {
  constexpr size_t kLast = kMaxDims - 1;
  const int64_t inner = sizes[kLast];
  if (begin >= end) return;
  std::array<int64_t, N> offsets = offsets_of(begin, sizes, strides);
  Dims at{};
  int64_t column = begin % inner, rest = begin / inner;
  for (size_t d = kLast; d-- > 0; rest /= sizes[d]) at[d] = rest % sizes[d];
  for (int64_t i = begin; i < end;) {
    const int64_t count = std::min(inner - column, end - i);
    f(i, count, offsets);
    i += count;
    for (size_t k = 0; k < N; ++k) offsets[k] -= column * strides[k][kLast];
    column = 0;
    for (size_t d = kLast; d-- > 0;) {  // the next row, as an odometer counts
      for (size_t k = 0; k < N; ++k) offsets[k] += strides[k][d];
      if (++at[d] < sizes[d]) break;
      for (size_t k = 0; k < N; ++k) offsets[k] -= sizes[d] * strides[k][d];
      at[d] = 0;
    }
  }
}

}  // namespace kern::kernels
