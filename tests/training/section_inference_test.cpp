#include "training/section_inference.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(SectionInference, Errors) {
  const AnyModule network{Doubler()};
  EXPECT_THROW(section_probability(network, noise(10), 3, 4), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.tile = 8}), Error);
  EXPECT_THROW(section_probability(network, noise(12), 3, 4, {.overlap = 1}), Error);
}

}  // namespace
}  // namespace kern::training
