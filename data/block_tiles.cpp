#include "data/block_tiles.h"

#include <algorithm>

namespace kern::data {

std::vector<BlockTile> block_tiles(const Block& whole, int64_t margin, int64_t most, int64_t multiple,
                                   int64_t longest) {
  const std::array<int64_t, 3> size{whole.inlines, whole.crosslines, whole.samples};
  const auto rounded = [&](int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  std::array<int64_t, 3> core = size;
  for (int64_t& side : core)
    if (longest > 0) side = std::min(side, rounded(longest));
  const auto with_margins = [&] {
    int64_t n = 1;
    for (size_t d = 0; d < 3; ++d) n *= core[d] == size[d] ? size[d] : std::min(size[d], core[d] + 2 * margin);
    return n;
  };
  while (with_margins() > most) {
    int64_t& side = *std::max_element(core.begin(), core.end());
    if (side <= std::max(margin, multiple)) break;
    side = rounded((side + 1) / 2);
  }
  std::vector<BlockTile> tiles;
  for (int64_t i = 0; i < size[0]; i += core[0])
    for (int64_t x = 0; x < size[1]; x += core[1])
      for (int64_t z = 0; z < size[2]; z += core[2]) {
        BlockTile tile{.core = {.from = {i, x, z}, .to = {i + core[0], x + core[1], z + core[2]}}, .seen = {}};
        for (size_t d = 0; d < 3; ++d) {
          tile.core.to[d] = std::min(tile.core.to[d], size[d]);
          tile.seen.from[d] = std::max<int64_t>(0, tile.core.from[d] - margin);
          tile.seen.to[d] = std::min(size[d], tile.core.to[d] + margin);
        }
        tiles.push_back(tile);
      }
  return tiles;
}

}  // namespace kern::data
