#include "models/section_models.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(SectionModels, EveryModelAnswersEverySampleOfAnySize) {
  for (const SectionModel& m : section_models()) {
    set_seed(1);
    const SectionNetwork n = m.make({});
    EXPECT_EQ(n.module(noise({2, 37, 21, 1}, 1)).shape(), (Shape{2, 37, 21, 1})) << m.name;
    EXPECT_GT(n.module.parameter_count(), 0) << m.name;
    EXPECT_THROW(n.module(noise({1, 16, 16, 2}, 1)), Error) << m.name;
  }
  EXPECT_THROW(make_section_model("resnet", {}), Error);
  EXPECT_THROW(make_section_model("conv_ae", {.channels = {0}}), Error);
}

TEST(SectionModels, NothingBeyondTheReachIsSeen) {
  for (const SectionModel& m : section_models()) {
    set_seed(2);
    const std::vector<int> channels =
        std::string(m.name) == "unet" ? std::vector<int>{4, 6, 8} : std::vector<int>{4, 8};
    SectionNetwork n = m.make({.channels = channels});
    // Batch norm sees real statistics first: random weights alone let little through.
    n.module(noise({4, 64, 64, 1}, 5));
    n.module.set_training(false);
    const int64_t H = 160, at = 77;
    Tensor x = noise({1, H, 32, 1}, 3);
    const std::vector<float> before = n.module(x).values();
    for (int64_t w = 0; w < 32; ++w) x.mutate()[at * 32 + w] += 3;
    const std::vector<float> after = n.module(x).values();
    int64_t farthest = 0;
    for (int64_t h = 0; h < H; ++h)
      for (int64_t w = 0; w < 32; ++w)
        if (before[size_t(h * 32 + w)] != after[size_t(h * 32 + w)]) farthest = std::max(farthest, std::abs(h - at));
    EXPECT_LE(farthest, n.reach) << m.name;
    EXPECT_GE(3 * farthest, n.reach) << m.name;
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
