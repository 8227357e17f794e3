// The host's memory for blocks of a page and more (engine/block_heap.h). Addresses for all that the machine has are
// asked for at once, so that the heap is one range that grows at its end; pages come into being where blocks were. Where
// the system refuses that (ulimit -v), there are several smaller ranges.
#pragma once
#include <cstdint>
#include <vector>

#include "engine/block_heap.h"

namespace kern {

class HostHeap {
 public:
  std::byte* take(size_t size);  // a multiple of 64, as is the address; null: the system has no more
  void give_back(std::byte* block, size_t size);
  void release();  // the pages of all gaps go back to the system

  size_t kept() const;                           // bytes of gaps
  uint64_t growths() const { return growths_; }  // how often a block needed memory that was none of ours before

 private:
  struct Range {
    std::byte* memory;
    size_t bytes;
    BlockHeap blocks;
  };
  bool add_range(size_t size);
  std::vector<Range> ranges_;
  uint64_t growths_ = 0;
};

}  // namespace kern
