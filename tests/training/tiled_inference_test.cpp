// Tiles cover everything, blend without a seam, and what goes through mirrored comes back in its place.
#include "training/tiled_inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/unary.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

std::vector<float> numbers(int64_t n) {
  RandomSequence random(4, RandomStream::noise);
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = random.normal();
  return v;
}

// Looks at one position at a time.
struct EachPosition {
  Tensor operator()(const Tensor& x) { return affine(x, 1); }
  template <class V>
  void visit(V&&) {}
};

TEST(TiledInference, TilesBeginEvenlySpreadAndOverlapEnough) {
  EXPECT_EQ(tile_starts(10, 16, 0.5), (std::vector<int64_t>{0}));
  EXPECT_EQ(tile_starts(16, 16, 0.5), (std::vector<int64_t>{0}));
  EXPECT_EQ(tile_starts(17, 16, 0.5), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(tile_starts(40, 16, 0.25), (std::vector<int64_t>{0, 12, 24}));
  EXPECT_EQ(tile_starts(41, 16, 0.25), (std::vector<int64_t>{0, 8, 16, 25})) << "not 0, 12, 24 and, nearly there, 25";
  for (int64_t length = 16; length < 200; ++length)
    for (const double overlap : {0.0, 0.25, 0.5, 0.9}) {
      const std::vector<int64_t> starts = tile_starts(length, 16, overlap);
      EXPECT_EQ(starts.front(), 0);
      EXPECT_EQ(starts.back(), length - 16);
      for (size_t i = 1; i < starts.size(); ++i) {
        EXPECT_GT(starts[i], starts[i - 1]);
        EXPECT_LE(starts[i] - starts[i - 1], std::max<int64_t>(1, int64_t(16 * (1 - overlap))));
      }
    }
}

// Rows come in order, each once, and where all tiles agree the blend is what they say.
TEST(TiledInference, AgreeingTilesAreWhatTheySay) {
  const int64_t H = 37, W = 29, K = 3, h = 16, w = 12;
  const std::vector<float> whole = numbers(H * W * K);
  std::vector<float> got;
  int64_t next = 0;
  blend_tiles(
      {.H = H, .W = W, .h = h, .w = w, .overlap = 0.25}, K,
      [&](int64_t y, int64_t x) {
        std::vector<float> tile;
        for (int64_t i = 0; i < h; ++i)
          tile.insert(tile.end(), whole.begin() + ((y + i) * W + x) * K, whole.begin() + ((y + i) * W + x + w) * K);
        return tile;
      },
      [&](int64_t row, int64_t rows, std::span<const float> p) {
        EXPECT_EQ(row, next);
        EXPECT_EQ(int64_t(p.size()), rows * W * K);
        next += rows;
        got.insert(got.end(), p.begin(), p.end());
      });
  EXPECT_EQ(next, H);
  ASSERT_EQ(got.size(), whole.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], whole[i], 2e-6) << i;
}

// Two tiles that say 0 and 1: from one to the other without a step, and in the middle half and half.
TEST(TiledInference, BetweenTilesThatDisagreeThereIsNoSeam) {
  const int64_t w = 64, W = 96;
  std::vector<float> row;
  blend_tiles(
      {.H = 1, .W = W, .h = 1, .w = w, .overlap = 0.5}, 1,
      [&](int64_t, int64_t x) { return std::vector<float>(size_t(w), x == 0 ? 0.0f : 1.0f); },
      [&](int64_t, int64_t, std::span<const float> p) { row.assign(p.begin(), p.end()); });
  ASSERT_EQ(int64_t(row.size()), W);
  EXPECT_EQ(row[0], 0);
  EXPECT_EQ(row[size_t(W - 1)], 1);
  EXPECT_NEAR(row[47] + row[48], 1, 1e-5);
  float widest = 0;
  for (size_t i = 1; i < row.size(); ++i) {
    EXPECT_GE(row[i], row[i - 1]);
    widest = std::max(widest, row[i] - row[i - 1]);
  }
  EXPECT_LT(row[32], 0.01f) << "where the second tile begins, it counts for next to nothing";
  EXPECT_LT(widest, 0.2f);
}

TEST(TiledInference, OneLogitIsOneClassOrTwoAndMirroredPassesComeBackInPlace) {
  const AnyModule network{EachPosition()};
  const int64_t h = 5, w = 7;
  const std::vector<float> x = numbers(h * w);
  const std::vector<Mirrored> plain{{}}, all{{}, {.across = true}, {.down = true}, {.across = true, .down = true}};
  const auto one = probabilities_of(network, x, h, w, 1, plain), two = probabilities_of(network, x, h, w, 2, plain),
             mirrored = probabilities_of(network, x, h, w, 1, all);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(one[i], 1 / (1 + std::exp(-x[i])), 1e-6);
    ASSERT_EQ(two[2 * i + 1], one[i]);
    ASSERT_EQ(two[2 * i], 1 - one[i]);
    ASSERT_NEAR(mirrored[i], one[i], 1e-6);
  }
  const std::vector<float> three = numbers(h * w * 3);
  const auto softmax = probabilities_of(network, three, h, w, 3, all);
  for (size_t i = 0; i < x.size(); ++i) {
    double sum = 0, own = 0;
    for (size_t k = 0; k < 3; ++k) sum += std::exp(three[3 * i + k]);
    for (size_t k = 0; k < 3; ++k) {
      own = std::exp(three[3 * i + k]) / sum;
      ASSERT_NEAR(softmax[3 * i + k], own, 1e-6);
    }
  }
  EXPECT_THROW(probabilities_of(network, three, h, w, 2, plain), Error) << "three logits are not two classes";
}

TEST(TiledInference, ScalingKeepsWhatIsLinear) {
  std::vector<float> p;
  for (int64_t y = 0; y < 4; ++y)
    for (int64_t x = 0; x < 4; ++x) p.push_back(float(x));
  std::vector<float> out;
  give_scaled(p, 4, 4, 8, 8, 1,
              [&](int64_t, int64_t, std::span<const float> row) { out.insert(out.end(), row.begin(), row.end()); });
  ASSERT_EQ(out.size(), 64u);
  for (size_t y = 0; y < 8; ++y)
    for (size_t x = 0; x < 8; ++x)
      EXPECT_FLOAT_EQ(out[8 * y + x], float(std::clamp((double(x) + 0.5) / 2 - 0.5, 0.0, 3.0)));
}

}  // namespace
}  // namespace kern::training
