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

namespace kern::kernels {

struct FilterPacking {
  int k = 0, taps = 0, c = 0;  // 0: as it stands in memory, nothing to be packed
  bool transposed = false;     // [C,taps,K] instead of [K,taps,C]
  explicit operator bool() const { return k > 0; }
  int64_t size() const { return int64_t{k} * taps * c; }
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
