#include "training/padim.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {

constexpr FeatureShape kShape{2, 3, 4};

Tensor features(int64_t n, uint64_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  std::vector<float> v;
  for (int64_t i = 0; i < n * kShape.positions(); ++i) {
    const float a = random.normal(), b = random.normal();
    v.insert(v.end(), {1000 + a, 2 * a + b, b - 5, 0.5f * random.normal()});  // correlated, and far from 0
  }
  return Tensor::from({n, kShape.height, kShape.width, kShape.channels}, v);
}

// The definition, in double, with Gaussian elimination.
double distance_of(const std::vector<std::vector<double>>& normal, const std::vector<double>& x,
                   double regularisation) {
  const size_t d = x.size(), n = normal.size();
  std::vector<double> mean(d, 0);
  for (const auto& v : normal)
    for (size_t k = 0; k < d; ++k) mean[k] += v[k] / double(n);
  std::vector<std::vector<double>> a(d, std::vector<double>(d + 1, 0));
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j < d; ++j) {
      for (const auto& v : normal) a[i][j] += (v[i] - mean[i]) * (v[j] - mean[j]) / double(n - 1);
      if (i == j) a[i][j] += regularisation;
    }
    a[i][d] = x[i] - mean[i];
  }
  for (size_t p = 0; p < d; ++p)
    for (size_t i = 0; i < d; ++i)
      if (i != p) {
        const double f = a[i][p] / a[p][p];
        for (size_t j = p; j <= d; ++j) a[i][j] -= f * a[p][j];
      }
  double sum = 0;
  for (size_t k = 0; k < d; ++k) sum += (x[k] - mean[k]) * a[k][d] / a[k][k];
  return std::sqrt(sum);
}

TEST(Padim, DistancesAreMahalanobis) {
  const Tensor normal = features(40, 1), seen = features(3, 2);
  Padim padim(kShape, {.channels = 4, .regularisation = 0.05});
  padim.add(normal.batch_slice(0, 15));
  padim.add(normal.batch_slice(15, 40));
  EXPECT_EQ(padim.images(), 40);
  padim.fit();
  const auto got = padim.distances(seen).values(), from = normal.values(), of = seen.values();
  const auto positions = size_t(kShape.positions());
  for (size_t n = 0; n < 3; ++n)
    for (size_t p = 0; p < positions; ++p) {
      std::vector<std::vector<double>> all;
      for (size_t i = 0; i < 40; ++i)
        all.emplace_back(from.begin() + int64_t((i * positions + p) * 4),
                         from.begin() + int64_t((i * positions + p) * 4 + 4));
      const std::vector<double> x(of.begin() + int64_t((n * positions + p) * 4),
                                  of.begin() + int64_t((n * positions + p) * 4 + 4));
      const double expected = distance_of(all, x, 0.05);
      EXPECT_NEAR(got[n * positions + p], expected, 2e-3 * expected);
    }
}

TEST(Padim, WhatIsOddScoresHigh) {
  Padim padim(kShape, {.channels = 3, .seed = 5});
  EXPECT_EQ(padim.selected().size(), 3u);
  padim.add(features(100, 3));
  padim.fit();
  Tensor odd = features(1, 4);
  const double before = padim.distances(odd).values()[4];
  const auto channel = padim.selected()[0];
  odd.mutate()[4 * 4 + channel] += 20;
  const auto after = padim.distances(odd).values();
  EXPECT_GT(after[4], before + 3);
  EXPECT_EQ(after[3], padim.distances(features(1, 4)).values()[3]);  // and nowhere else
}

TEST(Padim, ModelFilesAndThreadsKeepTheBits) {
  const Tensor normal = features(30, 6), seen = features(2, 7);
  const int before = thread_count();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    Padim padim(kShape, {.channels = 2, .seed = 1});
    padim.add(normal);
    padim.fit();
    results.push_back(padim.distances(seen).values());
    TensorFile file{.shown_name = "m", .metadata = {}, .tensors = padim.state("padim")};
    results.push_back(Padim::from(file, "padim", kShape).distances(seen).values());
  }
  set_thread_count(before);
  for (const auto& r : results) EXPECT_EQ(r, results[0]);
}

TEST(Padim, ChannelsAreDrawnByTheSeed) {
  const FeatureShape wide{1, 1, 50};
  const auto a = Padim(wide, {.channels = 20, .seed = 1}).selected(),
             b = Padim(wide, {.channels = 20, .seed = 1}).selected(),
             c = Padim(wide, {.channels = 20, .seed = 2}).selected();
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
  EXPECT_TRUE(std::is_sorted(a.begin(), a.end()));
  EXPECT_EQ(Padim(wide, {.channels = 99}).selected().size(), 50u);
}

TEST(Padim, Errors) {
  auto says = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  Padim padim(kShape, {.channels = 4});
  EXPECT_NE(says([&] { padim.distances(features(1, 1)); }).find("no normal images yet"), std::string::npos);
  padim.add(features(1, 1));
  EXPECT_NE(says([&] { padim.fit(); }).find("at least 2 normal images"), std::string::npos);
  EXPECT_NE(says([&] { padim.add(Tensor::zeros({1, 3, 2, 4})); }).find("[N,2,3,4], got [1,3,2,4]"), std::string::npos);
  EXPECT_NE(says([&] { padim.prepare_without(1); }).find("left out of 1: at least 2 must be left"), std::string::npos);
  EXPECT_NE(says([&] { padim.distances_without(features(3, 1)); }).find("call prepare_without(3)"), std::string::npos);
  Tensor broken = features(5, 1);
  broken.mutate()[1] = NAN;
  padim.add(broken);
  EXPECT_NE(says([&] { padim.fit(); }).find("not finite"), std::string::npos);
}

// What a closed form says of images that were left out is what a model that never saw them says.
TEST(Padim, DistancesWithoutAGroupAreThoseOfARefit) {
  const Tensor normal = features(24, 9);
  for (const int64_t g : {1, 2, 5}) {
    Padim all(kShape, {.channels = 4, .regularisation = 0.05});
    all.add(normal);
    all.prepare_without(g);
    for (const int64_t first : {int64_t{0}, int64_t{7}, 24 - g}) {
      const Tensor group = normal.batch_slice(first, first + g);
      const auto got = all.distances_without(group).values();
      Padim others(kShape, {.channels = 4, .regularisation = 0.05});
      if (first > 0) others.add(normal.batch_slice(0, first));
      if (first + g < 24) others.add(normal.batch_slice(first + g, 24));
      others.fit();
      const auto expected = others.distances(group).values();
      ASSERT_EQ(got.size(), expected.size());
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-3 * expected[i]) << g << " " << first;
    }
    all.fit();  // and is what it would have been
    Padim plain(kShape, {.channels = 4, .regularisation = 0.05});
    plain.add(normal);
    plain.fit();
    EXPECT_EQ(all.distances(normal).values(), plain.distances(normal).values());
  }
}

TEST(Padim, WithoutMoreChannelsThanImages) {
  const FeatureShape wide{1, 2, 30};
  RandomSequence random(4, RandomStream::noise);
  std::vector<float> v;
  for (int i = 0; i < 12 * 60; ++i) v.push_back(random.normal());
  const Tensor normal = Tensor::from({12, 1, 2, 30}, v);
  Padim all(wide, {.channels = 30, .regularisation = 0.01}), others(wide, {.channels = 30, .regularisation = 0.01});
  all.add(normal);
  all.prepare_without(1);
  others.add(normal.batch_slice(1, 12));
  others.fit();
  const auto got = all.distances_without(normal.batch_slice(0, 1)).values(),
             expected = others.distances(normal.batch_slice(0, 1)).values();
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-2 * expected[i]);
}

// Every image the same: the regularisation alone is the variance.
TEST(Padim, IdenticalImagesAreFitted) {
  Padim padim(kShape, {.channels = 4, .regularisation = 0.25});
  const Tensor one = features(1, 8);
  for (int i = 0; i < 3; ++i) padim.add(one);
  padim.fit();
  Tensor moved = one.clone();
  moved.mutate()[0] += 1;
  EXPECT_NEAR(padim.distances(moved).values()[0], 2, 1e-3);
  EXPECT_EQ(padim.distances(one).values()[0], 0);
}

}  // namespace
}  // namespace kern::training
