#include "training/section_inference.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/common/error.h"
#include "training/tiled_inference.h"

namespace kern::training {

namespace {

// x [h,w,C] -> [H,W,C], as give_scaled() does.
std::vector<float> scaled(std::span<const float> x, int64_t h, int64_t w, int64_t H, int64_t W, int64_t C) {
  std::vector<float> out;
  out.reserve(size_t(H * W * C));
  give_scaled(x, h, w, H, W, C,
              [&](int64_t, int64_t, std::span<const float> rows) { out.insert(out.end(), rows.begin(), rows.end()); });
  return out;
}

std::vector<float> at_its_size(const AnyModule& network, std::span<const float> section, int64_t H, int64_t W,
                               const TileOptions& o) {
  const int64_t C = int64_t(section.size()) / (H * W);
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

}  // namespace

std::vector<float> section_probability(const AnyModule& network, std::span<const float> section, int64_t H, int64_t W,
                                       const TileOptions& o) {
  check(H >= 1 && W >= 1 && !section.empty() && int64_t(section.size()) % (H * W) == 0, "a section of ", H, " x ", W,
        " samples needs as many values for every channel, got ", section.size());
  check(o.tile >= 16 && o.overlap >= 0 && o.overlap <= 0.9,
        "a tile must be at least 16 samples wide and the overlap from 0 to 0.9, got ", o.tile, " and ", o.overlap);
  check(!o.scales.empty(), "scales= names no size at which a section is looked at: give at least one, 1 for its own");
  const int64_t C = int64_t(section.size()) / (H * W);
  std::vector<float> sum;
  for (const double scale : o.scales) {
    check(scale > 0, "a section cannot be scaled by ", scale);
    const auto h = std::max<int64_t>(1, std::llround(double(H) * scale)),
               w = std::max<int64_t>(1, std::llround(double(W) * scale));
    std::vector<float> p = h == H && w == W
                               ? at_its_size(network, section, H, W, o)
                               : scaled(at_its_size(network, scaled(section, H, W, h, w, C), h, w, o), h, w, H, W, 1);
    if (sum.empty()) sum = std::move(p);
    else std::transform(sum.begin(), sum.end(), p.begin(), sum.begin(), std::plus<>());
  }
  if (o.scales.size() > 1)
    for (float& v : sum) v /= float(o.scales.size());
  return sum;
}

}  // namespace kern::training
