#include "data/block_tiles.h"

#include <gtest/gtest.h>

namespace kern::data {
namespace {

TEST(BlockTiles, CoresMakeUpTheWholeOnce) {
  for (const Block& whole : {Block{37, 50, 91}, Block{1, 400, 300}, Block{64, 64, 64}, Block{3, 2, 1}})
    for (const int64_t multiple : {1, 8}) {
      constexpr int64_t kMargin = 6, kMost = 30'000;
      std::vector<int> times(size_t(whole.size()), 0);
      for (const BlockTile& t : block_tiles(whole, kMargin, kMost, multiple)) {
        EXPECT_LE(t.seen.block().size(), kMost);
        const std::array<int64_t, 3> size{whole.inlines, whole.crosslines, whole.samples};
        for (size_t d = 0; d < 3; ++d) {
          EXPECT_EQ(t.core.from[d] % multiple, 0);
          EXPECT_EQ(t.seen.from[d], std::max<int64_t>(0, t.core.from[d] - kMargin));
          EXPECT_EQ(t.seen.to[d], std::min(size[d], t.core.to[d] + kMargin));
        }
        for (int64_t i = t.core.from[0]; i < t.core.to[0]; ++i)
          for (int64_t x = t.core.from[1]; x < t.core.to[1]; ++x)
            for (int64_t z = t.core.from[2]; z < t.core.to[2]; ++z) ++times[size_t(whole.index(i, x, z))];
      }
      EXPECT_EQ(std::count(times.begin(), times.end(), 1), whole.size());
    }
}

TEST(BlockTiles, WhatFitsIsOneTile) {
  const std::vector<BlockTile> tiles = block_tiles({20, 30, 40}, 16, 20 * 30 * 40);
  ASSERT_EQ(tiles.size(), 1u);
  EXPECT_EQ(tiles[0].core, (Box{{0, 0, 0}, {20, 30, 40}}));
  EXPECT_EQ(tiles[0].seen, tiles[0].core);
}

TEST(BlockTiles, NoSideIsLongerThanAsked) {
  int64_t samples = 0;
  for (const BlockTile& t : block_tiles({40, 50, 60}, 4, 1 << 20, 8, 20)) {  // 24, a multiple of 8
    const Block core = t.core.block();
    EXPECT_LE(std::max({core.inlines, core.crosslines, core.samples}), 24);
    samples += core.size();
  }
  EXPECT_EQ(samples, 40 * 50 * 60);
}

TEST(BlockTiles, TooLittleMemoryEndsAtTheMargin) {
  // No tile is cut to less than its margin: it would be computed for what it throws away.
  for (const BlockTile& t : block_tiles({100, 100, 100}, 16, 1)) {
    const Block core = t.core.block();
    EXPECT_GE(std::max({core.inlines, core.crosslines, core.samples}), 1);
    EXPECT_LE(std::max({core.inlines, core.crosslines, core.samples}), 16);
  }
}

}  // namespace
}  // namespace kern::data
