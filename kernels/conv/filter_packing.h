// Filters in the form that kernels on tensor cores read, made for a whole training step at once.
//
// A row that keeps values as bf16 reads a filter [K,taps,C] rounded to bf16; where it goes from y to x, as [C,taps,K].
// Such a row packs it itself before each use, with a kernel that takes longer to start than to run. So where the caller
// knows the filters beforehand (engine/packed_filters.h) it asks the row for its packing, one kernel packs them all,
// and the row finds its own in Exec::filter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/common/bf16.h"
#include "kernels/common/device.h"
#include "kernels/common/layout.h"

namespace kern::kernels {

struct FilterPacking {
  int k = 0, taps = 0, c = 0;  // 0: as it stands in memory, nothing to be packed
  bool transposed = false;     // [C,taps,K] instead of [K,taps,C]
  // In blocks, where `block` is not 0: what a kernel's stage copies is one run of memory, in which the eight rows that
  // ldmatrix reads at once are neighbours. Of every block of so many values out and each of `parts` equal parts of the
  // taps there are stages of `depth` values in:
  //   [out / block][parts][in / depth] of [taps / parts][depth / 16][block / 8][2][8 out][8 in]
  // Values out that are not there are zeros; `in` is a multiple of depth, that of 16, `block` of 8.
  int block = 0, depth = 0, parts = 1;
  uint64_t order = 0;  // the taps from first to last, at most 16, four bits each

  explicit operator bool() const { return k > 0; }
  int out() const { return transposed ? c : k; }
  int in() const { return transposed ? k : c; }
  int64_t size() const { return (block ? ceil_div(out(), block) * block : out()) * taps * in(); }
  size_t bytes() const { return (size_t(size()) * sizeof(Bf16) + 63) / 64 * 64; }
  bool operator==(const FilterPacking&) const = default;
};

struct PackedFilter {
  FilterPacking packing;
  const void* data = nullptr;
};
// What there is of it; null: the row packs it itself.
inline const void* packed_filter(const Exec& exec, const FilterPacking& packing) {
  return exec.filter && exec.filter->packing == packing ? exec.filter->data : nullptr;
}

struct FilterToPack {
  FilterPacking packing;
  const float* from = nullptr;
  void* to = nullptr;  // bytes()
};
// On a GPU: as few kernels as hold them. What is innermost (C, or K where it is transposed) must be even.
void pack_filters(const Exec&, const std::vector<FilterToPack>&);  // conv2d_cuda_filters.cu

}  // namespace kern::kernels
