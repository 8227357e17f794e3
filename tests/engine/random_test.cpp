#include "engine/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace kern {
namespace {

TEST(Philox, known_answers) {  // Random123's kat_vectors for philox4x32-10
  using kernels::philox;
  EXPECT_EQ(philox({0, 0}, 0, 0, 0, 0), (kernels::Random4{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  EXPECT_EQ(philox({~0u, ~0u}, ~0u, ~0u, ~0u, ~0u),
            (kernels::Random4{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  EXPECT_EQ(philox({0xa4093822, 0x299f31d0}, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
            (kernels::Random4{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

TEST(RandomSequence, moments_and_range) {
  RandomSequence r(7, RandomStream::noise);
  double s = 0, s2 = 0, u = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double x = r.normal();
    s += x;
    s2 += x * x;
    const float v = r.uniform();
    ASSERT_TRUE(v >= 0 && v < 1);
    u += double(v);
  }
  EXPECT_NEAR(s / n, 0, 0.01);
  EXPECT_NEAR(s2 / n, 1, 0.02);
  EXPECT_NEAR(u / n, 0.5, 0.005);
}

TEST(RandomSequence, below_is_even) {
  RandomSequence r(1, RandomStream::shuffle);
  std::vector<int> count(7);
  for (int i = 0; i < 70000; ++i) ++count[r.below(7)];
  for (int c : count) EXPECT_NEAR(c, 10000, 400);
}

TEST(RandomSequence, streams_and_sequences_differ_and_repeat) {
  auto first = [](uint64_t seed, RandomStream s, uint32_t a) { return RandomSequence(seed, s, a).next(); };
  EXPECT_EQ(first(1, RandomStream::init, 0), first(1, RandomStream::init, 0));
  EXPECT_NE(first(1, RandomStream::init, 0), first(1, RandomStream::shuffle, 0));
  EXPECT_NE(first(1, RandomStream::init, 0), first(2, RandomStream::init, 0));
  EXPECT_NE(first(1, RandomStream::init, 0), first(1, RandomStream::init, 1));
}

TEST(RandomSequence, shuffle_is_a_permutation) {
  std::vector<int> v(100);
  std::iota(v.begin(), v.end(), 0);
  RandomSequence(3, RandomStream::shuffle).shuffle(std::span(v));
  EXPECT_FALSE(std::is_sorted(v.begin(), v.end()));
  std::sort(v.begin(), v.end());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(v[size_t(i)], i);
}

TEST(Generator, a_step_repeats) {
  Generator g(5);
  g.advance();
  const auto a = g.draw(RandomStream::dropout), b = g.draw(RandomStream::dropout);
  EXPECT_EQ(a.call, 0u);
  EXPECT_EQ(b.call, 1u);
  Generator resumed(0);
  resumed.set(5, 1);
  EXPECT_EQ(resumed.draw(RandomStream::dropout).call, 0u);
  EXPECT_EQ(resumed.step(), g.step());
}

}  // namespace
}  // namespace kern
