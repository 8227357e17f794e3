#include "training/localisation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

TEST(Localisation, APerfectMapIsOneAndAnInvertedOneNothing) {
  const std::vector<uint8_t> mask{0, 0, 255, 0, 0, 0, 0, 9, 9};
  Localisation good, bad;
  good.add(std::vector<float>{0, 0, 5, 0, 0, 0, 0, 4, 4}, mask, 3, 3);
  bad.add(std::vector<float>{3, 3, 1, 3, 3, 3, 3, 1, 1}, mask, 3, 3);
  EXPECT_EQ(good.regions(), 2);
  EXPECT_EQ(good.pixel_auroc(), 1);
  EXPECT_NEAR(good.region_overlap(), 1, 1e-12);
  EXPECT_EQ(bad.pixel_auroc(), 0);
  EXPECT_NEAR(bad.region_overlap(), 0, 1e-12);
}

TEST(Localisation, RegionsCountEquallyWhateverTheirSize) {
  // A region of 8 that is found and one of 1 that is not: half.
  std::vector<float> map(100, 0.0f);
  std::vector<uint8_t> mask(100, 0);
  for (int i = 0; i < 8; ++i) mask[size_t(i)] = 1, map[size_t(i)] = 1;
  mask[55] = 1, map[55] = -1;
  Localisation m;
  m.add(map, mask, 10, 10);
  EXPECT_EQ(m.regions(), 2);
  EXPECT_NEAR(m.pixel_auroc(), 8.0 / 9, 1e-12);
  // Up to a rate of 0.3: half before the first false alarm, rising straight to half where all others tie at rate 1.
  EXPECT_NEAR(m.region_overlap(), 0.5, 1e-12);
}

TEST(Localisation, CornersTouchAndImagesDoNot) {
  const std::vector<uint8_t> corners{1, 0, 0, 1};
  Localisation m;
  m.add(std::vector<float>(4, 0.5f), corners, 2, 2);
  m.add(std::vector<float>(4, 0.5f), corners, 2, 2);
  EXPECT_EQ(m.regions(), 2);
  EXPECT_EQ(m.pixel_auroc(), 0.5);
}

// Chance: the overlap equals the false-positive rate, so the mean up to the limit is half of it.
TEST(Localisation, ChanceIsHalfTheLimit) {
  RandomSequence random(1, RandomStream::noise);
  const int64_t n = 200;
  std::vector<float> map(size_t(n * n));
  std::vector<uint8_t> mask(size_t(n * n), 0);
  for (float& v : map) v = random.uniform();
  for (int64_t y = 0; y < n; y += 20)
    for (int64_t x = 0; x < n; ++x)
      for (int64_t k = 0; k < 6; ++k) mask[size_t((y + k) * n + x)] = 1;
  Localisation m;
  m.add(map, mask, n, n);
  EXPECT_NEAR(m.pixel_auroc(), 0.5, 0.01);
  EXPECT_NEAR(m.region_overlap(0.3), 0.15, 0.01);
}

TEST(Localisation, NothingToEvaluateIsNotANumber) {
  Localisation m;
  m.add(std::vector<float>(4, 0.5f), {}, 2, 2);
  EXPECT_TRUE(std::isnan(m.pixel_auroc()));
  EXPECT_TRUE(std::isnan(m.region_overlap()));
  EXPECT_THROW(m.add(std::vector<float>(4, NAN), {}, 2, 2), Error);
  EXPECT_THROW(m.add(std::vector<float>(3, 0.0f), {}, 2, 2), Error);
}

}  // namespace
}  // namespace kern::training
