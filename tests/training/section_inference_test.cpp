#include "training/section_inference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/autograd.h"
#include "engine/ops/unary.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "models/table2d.h"

namespace kern::training {
namespace {

std::vector<float> noise(int64_t n) {
  RandomSequence random(2, RandomStream::noise);
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = random.normal();
  return v;
}
// A network that looks at one sample at a time: whatever the tiles, the answer is known.
struct Doubler {
  Tensor operator()(const Tensor& x) { return affine(x, 2); }
  template <class V>
  void visit(V&&) {}
};

TEST(SectionInference, TilesAgreeWithTheWholeWhereTheNetworkSeesOneSample) {
  const AnyModule network{Doubler()};
  for (const auto& [H, W] : std::vector<std::pair<int64_t, int64_t>>{{5, 7}, {100, 40}, {33, 150}, {97, 131}}) {
    const std::vector<float> x = noise(H * W);
    for (const bool flips : {false, true}) {
      const auto p = section_probability(network, x, H, W, {.tile = 16, .overlap = 0.5, .flips = flips});
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(p[i], 1 / (1 + std::exp(-2 * x[i])), 1e-5) << i;
    }
  }
}

TEST(SectionInference, AUNetOverTilesIsNearTheWhole) {
  set_seed(1);
  AnyModule network = models::make_image2d_model("unet", {.in = 1, .out = 1, .channels = {4, 8}});
  network.set_training(false);
  const std::vector<float> x = noise(120 * 90);
  const auto whole = section_probability(network, x, 120, 90, {.tile = 64}),
             tiled = section_probability(network, x, 120, 90, {.tile = 32});
  double most = 0;
  for (size_t i = 0; i < whole.size(); ++i) most = std::max(most, double(std::abs(whole[i] - tiled[i])));
  EXPECT_LT(most, 0.02);  // only what a tile's edge hides differs, and there its weight is small
}

TEST(SectionInference, FlipsMakeItSymmetric) {
  set_seed(2);
  AnyModule network = models::make_image2d_model("unet", {.in = 1, .out = 1, .channels = {4, 8}});
  network.set_training(false);
  const int64_t H = 24, W = 16;
  const std::vector<float> x = noise(H * W);
  std::vector<float> turned(x.size());
  for (int64_t y = 0; y < H; ++y) std::copy_n(x.begin() + y * W, W, turned.begin() + (H - 1 - y) * W);
  const auto a = section_probability(network, x, H, W, {.flips = true}),
             b = section_probability(network, turned, H, W, {.flips = true});
  for (int64_t y = 0; y < H; ++y)
    for (int64_t z = 0; z < W; ++z) ASSERT_EQ(a[size_t(y * W + z)], b[size_t((H - 1 - y) * W + z)]);
}

// Half the size is the mean of 2 x 2 samples; back from there goes linearly between their middles.
TEST(SectionInference, ScalesAreTheMeanOfWhatItSaysAtEach) {
  const AnyModule network{Doubler()};
  const int64_t H = 12, W = 34, h = H / 2, w = W / 2;
  const std::vector<float> x = noise(H * W);
  const auto answer = [](double v) { return 1 / (1 + std::exp(-2 * v)); };
  std::vector<double> half(size_t(h * w));
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      double sum = 0;
      for (const int64_t at : {0L, 1L, W, W + 1}) sum += double(x[size_t(2 * i * W + 2 * j + at)]);
      half[size_t(i * w + j)] = answer(sum / 4);
    }
  const auto between = [](int64_t i, int64_t n) {  // two places and what the second counts
    const double at = std::clamp((double(i) + 0.5) / 2 - 0.5, 0.0, double(n - 1));
    const auto low = int64_t(at);
    return std::tuple(low, std::min(low + 1, n - 1), at - double(low));
  };
  for (const int64_t tile : {16, 64}) {
    const auto p = section_probability(network, x, H, W, {.tile = tile, .scales = {1, 0.5}});
    for (int64_t y = 0; y < H; ++y)
      for (int64_t z = 0; z < W; ++z) {
        const auto [i, i1, f] = between(y, h);
        const auto [j, j1, g] = between(z, w);
        const double top = half[size_t(i * w + j)] * (1 - g) + half[size_t(i * w + j1)] * g,
                     bottom = half[size_t(i1 * w + j)] * (1 - g) + half[size_t(i1 * w + j1)] * g;
        const double expected = (answer(double(x[size_t(y * W + z)])) + top * (1 - f) + bottom * f) / 2;
        ASSERT_NEAR(p[size_t(y * W + z)], expected, 1e-5) << y << ' ' << z;
      }
  }
  EXPECT_EQ(section_probability(network, x, H, W, {.scales = {1}}), section_probability(network, x, H, W));
}

TEST(SectionInference, Errors) {
  const AnyModule network{Doubler()};
  EXPECT_THROW(section_probability(network, noise(10), 3, 4), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.tile = 8}), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.overlap = 1}), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.scales = {}}), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.scales = {1, 0}}), Error);
}

}  // namespace
}  // namespace kern::training
