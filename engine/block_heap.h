// Which bytes of a range are in use: blocks, cut from the smallest gap that holds them (of equal ones the lowest), else
// from the range's end, which moves up; and given back, which joins a block's bytes with the gaps beside it. Places
// count from the range's beginning. There is no memory here: a dry run (engine/dry_run.h) counts with this what real
// memory (engine/host_heap.h) will take, to the byte.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "kernels/common/device.h"

namespace kern {

// The host's blocks of at least so many bytes lie in a heap: a step's tensors have hundreds of sizes, and blocks that
// only serve the next one of the same size are 1.2 to 2.5 times what is ever in use. Smaller ones would cut the heap
// into pieces; these, and a GPU's, are kept by size.
constexpr bool lies_in_heap(Device device, size_t size) { return device == Device::cpu && size >= 4096; }

class BlockHeap {
 public:
  std::optional<size_t> take(size_t size);  // its place, in a gap; none: no gap holds it
  size_t growth(size_t size) const;         // of a size that no gap holds: how far grow(size) moves the end
  size_t grow(size_t size);                 // its place, at the end; a gap there is part of it
  void give_back(size_t place, size_t size);
  void shrink();  // the end moves down to that of the last block

  size_t end() const { return end_; }
  size_t in_use() const { return end_ - in_gaps_; }
  const std::map<size_t, size_t>& gaps() const { return gaps_; }  // place -> size, none beside another

 private:
  void add_gap(size_t place, size_t size);
  void remove_gap(std::map<size_t, size_t>::iterator gap);
  std::map<size_t, size_t>::const_iterator last_gap() const;  // at the end; gaps_.end(): there is none

  std::map<size_t, size_t> gaps_;
  std::set<std::pair<size_t, size_t>> by_size_;  // (size, place) of the same
  size_t end_ = 0, in_gaps_ = 0;
};

}  // namespace kern
