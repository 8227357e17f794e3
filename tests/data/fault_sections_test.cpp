#include "data/fault_sections.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

SectionOptions small() {
  SectionOptions o{.sections = 10, .batch = 4};
  o.synthetic.crosslines = 48;
  o.synthetic.samples = 40;
  o.synthetic.seed = 3;
  return o;
}

TEST(AmplitudeScale, LeavesOutGapsAndTheLoudest) {
  std::vector<float> v(1000, 2.0f);
  for (size_t i = 0; i < v.size(); i += 2) v[i] = -2;
  EXPECT_NEAR(amplitude_scale(v), 2, 1e-6);
  for (int i = 0; i < 10; ++i) v[size_t(i)] = 1e6f;
  v.insert(v.end(), 500, 0.0f);
  v.push_back(NAN);
  EXPECT_NEAR(amplitude_scale(v), 2, 1e-6);
  EXPECT_EQ(amplitude_scale(std::vector<float>(5, 0.0f)), 1);
  std::vector<float> scaled{2, -100, NAN, INFINITY};
  scale_amplitudes(scaled, 2);
  EXPECT_EQ(scaled, (std::vector<float>{1, -kLoudest, 0, 0}));
  std::vector<float> tiny{0, 1e-42f};  // 1 over their size is no float
  scale_amplitudes(tiny, amplitude_scale(tiny));
  EXPECT_EQ(tiny[0], 0);
  EXPECT_TRUE(tiny[1] >= 0 && tiny[1] <= kLoudest);
}

TEST(AmplitudeScale, GainControlEvensOutATrace) {
  std::vector<float> trace(200);
  for (size_t i = 0; i < trace.size(); ++i) trace[i] = (i % 2 ? 1.0f : -1.0f) * (i < 100 ? 0.01f : 50.0f);
  trace[7] = NAN;
  gain_control(trace, 20);
  for (const size_t i : {size_t(50), size_t(51), size_t(150), size_t(151)}) EXPECT_NEAR(std::abs(trace[i]), 1, 1e-5);
  EXPECT_EQ(trace[7], 0);
  std::vector<float> silent(5, 0.0f);
  gain_control(silent, 3);
  EXPECT_EQ(silent, std::vector<float>(5, 0.0f));
}

TEST(FaultSections, BatchesDependOnEpochAndNumberAlone) {
  const FaultSections a(small()), b(small());
  EXPECT_EQ(a.size(), 3);
  const auto first = a.batch(a.epoch(1), 0), last = a.batch(a.epoch(1), 2);
  EXPECT_EQ(first.N, 4);
  EXPECT_EQ(last.N, 2);
  EXPECT_EQ(first.inputs, b.batch(b.epoch(1), 0).inputs);
  EXPECT_EQ(first.labels, b.batch(b.epoch(1), 0).labels);
  EXPECT_NE(first.inputs, a.batch(a.epoch(0), 0).inputs);
  EXPECT_NE(first.inputs, a.batch(a.epoch(1), 1).inputs);
  EXPECT_THROW(a.batch(a.epoch(0), 3), Error);
}

TEST(FaultSections, ScaledAndLabelled) {
  const FaultSections sections(small());
  const auto b = sections.batch(sections.epoch(0), 0);
  double sum = 0;
  for (const float v : b.inputs) {
    ASSERT_LE(std::abs(v), kLoudest);
    sum += double(v) * v;
  }
  EXPECT_NEAR(std::sqrt(sum / double(b.inputs.size())), 1, 0.15);
  const auto faults = std::accumulate(b.labels.begin(), b.labels.end(), 0);
  EXPECT_GT(faults, 0);
  EXPECT_LT(faults, int(b.labels.size()) / 5);
}

TEST(FaultSections, WithoutFreshOnesEpochsDifferByAugmentationAlone) {
  SectionOptions o = small();
  o.fresh = false;
  o.augment = false;
  const FaultSections plain(o);
  EXPECT_EQ(plain.batch(plain.epoch(0), 0).inputs, plain.batch(plain.epoch(5), 0).inputs);
  o.augment = true;
  const FaultSections turned(o);
  const auto before = plain.batch(plain.epoch(0), 0), after = turned.batch(turned.epoch(0), 0);
  // Every section is one of four: itself, turned, reversed, both; labels turn with it.
  for (int64_t n = 0; n < before.N; ++n) {
    int matches = 0;
    for (const bool turn : {false, true})
      for (const float sign : {1.0f, -1.0f}) {
        bool same = true;
        for (int64_t x = 0; x < before.H && same; ++x)
          for (int64_t z = 0; z < before.W && same; ++z) {
            const auto to = size_t((n * before.H + x) * before.W + z),
                       from = size_t((n * before.H + (turn ? before.H - 1 - x : x)) * before.W + z);
            same = after.inputs[to] == sign * before.inputs[from] && after.labels[to] == before.labels[from];
          }
        matches += same;
      }
    EXPECT_EQ(matches, 1) << n;
  }
}

}  // namespace
}  // namespace kern::data
