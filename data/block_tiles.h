// Blocks too large for memory, cut into tiles that overlap: each answers for its core and sees a margin round it.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "data/fault_surfaces.h"

namespace kern::data {

// From one place of a block to another, which is not of it: (inline, crossline, sample).
struct Box {
  std::array<int64_t, 3> from{}, to{};
  Block block() const { return {to[0] - from[0], to[1] - from[1], to[2] - from[2]}; }
  bool operator==(const Box&) const = default;
};
struct BlockTile {
  Box core, seen;  // seen: the core and what lies round it, within the whole
};

// Cores are disjoint and make up the whole, in order of (inline, crossline, sample); each begins at multiples of
// `multiple`. No side is longer than `longest` (0: any), and the longest is halved until no tile has more than `most` samples with its margin, or until a side
// would be no longer than the margin.
std::vector<BlockTile> block_tiles(const Block& whole, int64_t margin, int64_t most, int64_t multiple = 1,
                                   int64_t longest = 0);

}  // namespace kern::data
