#include "data/spills_synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

// Values between random ones at the corners of a grid of `cell` pixels, smoothly: mean 0, within +-1.
class SmoothNoise {
 public:
  SmoothNoise(RandomSequence& random, int64_t H, int64_t W, double cell)
      : cell_(cell), columns_(int64_t(double(W) / cell) + 2) {
    const int64_t rows = int64_t(double(H) / cell) + 2;
    for (int64_t i = 0; i < rows * columns_; ++i) corners_.push_back(float(random.uniform(-1, 1)));
  }
  double operator()(double y, double x) const {
    const auto row = int64_t(y / cell_), column = int64_t(x / cell_);
    auto eased = [](double t) { return t * t * (3 - 2 * t); };
    const double v = eased(y / cell_ - double(row)), u = eased(x / cell_ - double(column));
    auto corner = [&](int64_t r, int64_t c) { return double(corners_[size_t(r * columns_ + c)]); };
    const double top = corner(row, column) * (1 - u) + corner(row, column + 1) * u,
                 bottom = corner(row + 1, column) * (1 - u) + corner(row + 1, column + 1) * u;
    return top * (1 - v) + bottom * v;
  }

 private:
  double cell_;
  int64_t columns_;
  std::vector<float> corners_;
};

}  // namespace

SpillImage spill_image(int64_t number, bool spill, const SpillOptions& o) {
  check(o.height >= 8 && o.width >= 8 && o.height <= 4096 && o.width <= 4096,
        "images are made from 8x8 to 4096x4096 pixels, got ", o.height, "x", o.width);
  check(o.strength >= 0 && o.drift >= 0, "the strength of spills and the drift must not be negative, got ", o.strength,
        " and ", o.drift);
  RandomSequence random(o.seed, RandomStream::synthesize, uint32_t(number), spill ? 1 : 0);
  const int64_t H = o.height, W = o.width;
  const double scale = double(std::min(H, W)) / 27;
  SpillImage out{make_raster(H, W, 3), make_raster(H, W, 1)};

  // The conveyor: one hue, light that falls off to one side, bands along it, soft stains, a grain.
  const double light = random.normal(0.36, 0.03) * (1 + 0.25 * o.drift), hue = random.normal(0, 0.012) - 0.06 * o.drift;
  const double slope_y = random.uniform(-0.05, 0.05), slope_x = random.uniform(-0.07, 0.07);
  const double bands = random.uniform(0.006, 0.018), period = random.uniform(5, 9) * scale,
               phase = random.uniform(0, 2 * std::numbers::pi);
  const SmoothNoise stains(random, H, W, 9 * scale), fine(random, H, W, 2.5 * scale);

  // The spill: a blotch round a middle, its radius waving with the angle.
  const double size = random.uniform(4.5, 8.5) * scale * (0.6 + 0.4 * o.strength),
               middle_y = random.uniform(0.25, 0.75) * double(H), middle_x = random.uniform(0.25, 0.75) * double(W),
               flat = random.uniform(0.5, 0.9), bright = random.uniform(0.22, 0.34) * o.strength;
  double wave[4], turn[4];
  for (int k = 0; k < 4; ++k) wave[k] = random.uniform(0, 0.22), turn[k] = random.uniform(0, 2 * std::numbers::pi);
  const SmoothNoise lumps(random, H, W, 2 * scale);

  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      const double v = double(y) / double(H) - 0.5, u = double(x) / double(W) - 0.5;
      double value = light + slope_y * v + slope_x * u +
                     bands * std::sin(2 * std::numbers::pi * double(y) / period + phase) +
                     0.025 * stains(double(y), double(x)) + 0.012 * fine(double(y), double(x));
      double grey = 0;  // how far the spill's colour, a pale one, replaces the belt's
      if (spill) {
        const double dy = (double(y) - middle_y) / flat, dx = double(x) - middle_x, angle = std::atan2(dy, dx);
        double radius = size;
        for (int k = 0; k < 4; ++k) radius *= 1 + wave[k] * std::sin((k + 2) * angle + turn[k]);
        const double inside = std::clamp((radius - std::hypot(dy, dx)) / (1.2 * scale) + 0.5, 0.0, 1.0);
        value += inside * bright * (1 + 0.55 * lumps(double(y), double(x)));
        grey = 0.6 * inside * std::min(1.0, o.strength);
        if (inside >= 0.5) *out.mask.at(y, x) = 255;
      }
      const double tint[3] = {-0.075 + hue, 0.055, -0.045 - hue};
      for (int c = 0; c < 3; ++c) {
        const double shown = value * (1 + (1 - grey) * 2.2 * tint[c]) + random.normal(0, 0.011);
        out.image.at(y, x)[c] = uint8_t(std::lround(255 * std::clamp(shown, 0.0, 1.0)));
      }
    }
  return out;
}

}  // namespace kern::data
