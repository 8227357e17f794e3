#include "models/section_models.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/dry_run.h"
#include "engine/ops/sum.h"
#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::models {
namespace {

Tensor noise(const Shape& shape, uint32_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  Tensor x = Tensor::empty(shape);
  float* to = x.mutate();
  for (int64_t i = 0; i < x.size(); ++i) to[i] = random.normal();
  return x;
}

// [N,H,W,lines], or a volume [N,H,W,D,lines] of the same.
Tensor noise_for(const SectionModel& m, int64_t N, int64_t H, int64_t W, int64_t D, uint32_t seed) {
  return m.dimensions == 3 ? noise({N, H, W, D, m.lines}, seed) : noise({N, H, W, m.lines}, seed);
}

TEST(SectionModels, EveryModelAnswersEverySampleOfAnySize) {
  for (const SectionModel& m : section_models()) {
    set_seed(1);
    const SectionNetwork n = m.make({});
    const bool volume = m.dimensions == 3;
    const Tensor x = volume ? noise_for(m, 2, 7, 5, 6, 1) : noise_for(m, 2, 37, 21, 1, 1);
    Shape answer = x.shape();
    answer[-1] = 1;
    EXPECT_EQ(n.module(x).shape(), answer) << m.name;
    EXPECT_GT(n.module.parameter_count(), 0) << m.name;
    EXPECT_THROW(n.module(noise({1, 16, 16, m.lines + 1}, 1)), Error) << m.name;
    EXPECT_THROW(n.module(volume ? noise({1, 16, 16, 1}, 1) : noise({1, 8, 8, 8, 1}, 1)), Error) << m.name;
  }
  EXPECT_THROW(make_section_model("resnet", {}), Error);
  EXPECT_THROW(make_section_model("conv_ae", {.channels = {0}}), Error);
  EXPECT_THROW(make_section_model("high_resolution3d", {.channels = {8, 16}}), Error);
}

TEST(SectionModels, TellWhatTheyTake) {
  const DryRun without_values;
  const auto expect = [](const char* name, int dimensions, int lines, int64_t parameters, int reach) {
    const SectionModel& m = section_model(name);
    EXPECT_EQ(m.dimensions, dimensions) << name;
    EXPECT_EQ(m.lines, lines) << name;
    const SectionNetwork n = m.make({});
    EXPECT_EQ(n.module.parameter_count(), parameters) << name;
    EXPECT_EQ(n.reach, reach) << name;
  };
  expect("unet", 2, 1, 485505, 52);
  expect("unet_2_5d", 2, 5, 486081, 52);  // 4 more lines of 9 x 16 weights
  expect("unet3d", 3, 1, 1460993, 51);
  expect("high_resolution3d", 3, 1, 562625, 216);
  EXPECT_TRUE(section_model("dense_ae").takes_single_sections());
  EXPECT_FALSE(section_model("unet_2_5d").takes_single_sections());
  EXPECT_FALSE(section_model("unet3d").takes_single_sections());
}

// Perturbs all of one line across the first axis and looks how far along it the answer changes.
TEST(SectionModels, NothingBeyondTheReachIsSeen) {
  for (const SectionModel& m : section_models()) {
    set_seed(2);
    const std::string name = m.name;
    const bool volume = m.dimensions == 3;
    SectionConfig config{.channels = {4, 8}};
    if (name == "unet" || name == "unet_2_5d" || name == "unet3d") config.channels = {4, 6, 8};
    if (name == "high_resolution3d") config.channels = {4};
    SectionNetwork n = m.make(config);
    // Batch norm sees real statistics first: random weights alone let little through.
    n.module(volume ? noise_for(m, 2, 16, 16, 16, 5) : noise_for(m, 4, 64, 64, 1, 5));
    n.module.set_training(false);
    const int64_t H = volume ? 2 * n.reach + 16 : 160, at = H / 2 - 3, W = volume ? 4 : 32;
    Tensor x = noise_for(m, 1, H, W, 4, 3);
    const int64_t line = x.size() / H;
    const std::vector<float> before = n.module(x).values();
    for (int64_t i = 0; i < line; ++i) x.mutate()[at * line + i] += 3;
    const std::vector<float> after = n.module(x).values();
    int64_t farthest = 0;
    for (size_t i = 0; i < before.size(); ++i)
      if (before[i] != after[i]) farthest = std::max(farthest, std::abs(int64_t(i) / (line / m.lines) - at));
    EXPECT_LE(farthest, n.reach) << m.name;
    // What travels far through the high-resolution network is lost in rounding; a small one is looked at in
    // high_resolution3d_test.cpp, exactly.
    if (name != "high_resolution3d") {
      EXPECT_GE(3 * farthest, n.reach) << m.name;
    }
  }
}

TEST(SectionModels, TheVariationalOneDrawsInTrainingOnly) {
  set_seed(3);
  SectionNetwork n = make_section_model("vae", {.channels = {4, 8}});
  const Tensor x = noise({2, 16, 16, 1}, 4);
  EXPECT_FALSE(n.divergence());
  const std::vector<float> a = n.module(x).values(), b = n.module(x).values();
  EXPECT_NE(a, b);
  const Tensor divergence = n.divergence();
  EXPECT_GE(divergence.item(), 0);
  backward(divergence);
  n.module.set_training(false);
  EXPECT_EQ(n.module(x).values(), n.module(x).values());
  EXPECT_FALSE(make_section_model("unet", {}).divergence);
}

}  // namespace
}  // namespace kern::models
