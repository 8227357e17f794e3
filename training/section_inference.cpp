#include "training/section_inference.h"

#include <algorithm>

#include "kernels/common/error.h"
#include "training/tiled_inference.h"

namespace kern::training {

std::vector<float> section_probability(const AnyModule& network, std::span<const float> section, int64_t H, int64_t W,
                                       const TileOptions& o) {
  check(H >= 1 && W >= 1 && !section.empty() && int64_t(section.size()) % (H * W) == 0, "a section of ", H, " x ", W,
        " samples needs as many values for every channel, got ", section.size());
  const int64_t C = int64_t(section.size()) / (H * W);
  check(o.tile >= 16 && o.overlap >= 0 && o.overlap <= 0.9,
        "a tile must be at least 16 samples wide and the overlap from 0 to 0.9, got ", o.tile, " and ", o.overlap);
  const int64_t h = H <= 2 * o.tile ? H : o.tile, w = W <= 2 * o.tile ? W : o.tile;
  std::vector<Mirrored> passes{{}};
  if (o.flips) passes.push_back({.down = true});  // traces are rows
  std::vector<float> out, part(size_t(h * w * C));
  out.reserve(size_t(H * W));
  blend_tiles(
      {.H = H, .W = W, .h = h, .w = w, .overlap = o.overlap}, 1,
      [&](int64_t y, int64_t x) {
        for (int64_t i = 0; i < h; ++i)
          std::copy_n(section.data() + ((y + i) * W + x) * C, w * C, part.data() + i * w * C);
        return probabilities_of(network, part, h, w, 1, passes);
      },
      [&](int64_t, int64_t, std::span<const float> rows) { out.insert(out.end(), rows.begin(), rows.end()); });
  return out;
}

}  // namespace kern::training
