#include "data/window_features.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kern::data {
namespace {

TEST(WindowFeatures, NeighboursMeansAndSpreadsOfEachChannel) {
  std::vector<float> inputs;  // channel 0: the index, channel 1: constant
  for (int i = 0; i < 100; ++i) inputs.push_back(float(i)), inputs.push_back(7);
  std::vector<float> out(2 * kWindowFeatures);
  window_features(inputs, 2, 50, out);
  const std::vector<float> offsets{50, 49, 51, 48, 52, 46, 54, 42, 58, 34, 66, 18, 82};
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(out[i], offsets[i]) << i;
  // The variance of 2r+1 numbers in a row is r(r+1)/3.
  EXPECT_EQ(out[13], 50);
  EXPECT_FLOAT_EQ(out[14], std::sqrt(24.0f));
  EXPECT_EQ(out[15], 50);
  EXPECT_FLOAT_EQ(out[16], std::sqrt(352.0f));
  for (size_t i = 17; i < 34; ++i) EXPECT_EQ(out[i], i == 31 || i == 33 ? 0 : 7) << i;
}

TEST(WindowFeatures, AtTheEndsTheEndIsRepeatedAndWindowsAreCut) {
  const std::vector<float> inputs{1, 2, 4};
  std::vector<float> out(kWindowFeatures);
  window_features(inputs, 1, 0, out);
  EXPECT_EQ(out, (std::vector<float>{1, 1, 2, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, out[13], out[14], out[15], out[16]}));
  EXPECT_FLOAT_EQ(out[13], 7.0f / 3);
  EXPECT_FLOAT_EQ(out[14], std::sqrt(14.0f / 9));
  const std::vector<float> single{3};
  window_features(single, 1, 0, out);
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[14], 0);
}

TEST(WindowFeatures, WhatIsMissingIsMissing) {
  std::vector<float> inputs;  // two curves and their masks; the first is measured at even samples, the second nowhere
  for (int i = 0; i < 100; ++i) inputs.insert(inputs.end(), {i % 2 ? 0.0f : float(i), 0.0f, i % 2 ? 0.0f : 1.0f, 0.0f});
  std::vector<float> out(2 * kWindowFeatures);
  window_features_or_missing(inputs, 2, true, 50, out);
  EXPECT_EQ(out[0], 50);
  EXPECT_TRUE(std::isnan(out[1]) && std::isnan(out[2]));  // 49 and 51
  EXPECT_EQ(out[3], 48);
  EXPECT_EQ(out[13], 50);  // the mean of 42, 44 ... 58
  EXPECT_FLOAT_EQ(out[14], std::sqrt(4 * 20.0f / 3));
  for (size_t i = 17; i < 34; ++i) EXPECT_TRUE(std::isnan(out[i])) << i;
  // Without a mask everything is measured, and it is what window_features says.
  std::vector<float> plain;
  for (int i = 0; i < 100; ++i) plain.insert(plain.end(), {float(i * i % 17), float(i)});
  std::vector<float> other(2 * kWindowFeatures);
  window_features(plain, 2, 3, other);
  window_features_or_missing(plain, 2, false, 3, out);
  EXPECT_EQ(out, other);
}

}  // namespace
}  // namespace kern::data
