#include "training/whole_image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::training {
namespace {
using Rows = std::vector<std::vector<double>>;

constexpr int kFirst = 3, kSecond = 20;  // channels of two levels, the second more than there are images

Tensor features(int64_t n, uint64_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  std::vector<float> v;
  for (int64_t i = 0; i < n; ++i) {
    const float a = random.normal(), b = random.normal();
    v.insert(v.end(), {10 + a, 2 * a + b, b - 5});
    for (int k = 0; k < kSecond; ++k) v.push_back(float(k) * 0.1f * a + 0.3f * random.normal());
  }
  return Tensor::from({n, kFirst + kSecond}, v);
}

Rows rows_of(const Tensor& x, int first, int d) {
  const std::vector<float> v = x.values();
  Rows out;
  for (int64_t n = 0; n < x.dim(0); ++n) {
    const auto begin = v.begin() + n * x.dim(1) + first;
    out.emplace_back(begin, begin + d);
  }
  return out;
}

// The definitions of Ledoit and Wolf, entry by entry: how far S lies from mu I, and how far single samples lie from S.
Shrinkage shrinkage_of(Rows x) {
  const size_t n = x.size(), d = x[0].size();
  for (size_t k = 0; k < d; ++k) {
    double mean = 0;
    for (const auto& v : x) mean += v[k] / double(n);
    for (auto& v : x) v[k] -= mean;
  }
  double mu = 0, far = 0, chance = 0;
  for (size_t k = 0; k < d; ++k)
    for (const auto& v : x) mu += v[k] * v[k] / double(n * d);
  for (size_t i = 0; i < d; ++i)
    for (size_t j = 0; j < d; ++j) {
      double s = 0;
      for (const auto& v : x) s += v[i] * v[j] / double(n);
      for (const auto& v : x) chance += std::pow(v[i] * v[j] - s, 2) / double(n * n);
      far += std::pow(s - (i == j ? mu : 0), 2);
    }
  return {std::min(1.0, chance / far), mu};
}

// In double with Gaussian elimination: of x from `normal`, by the covariance (sum / (n - 1) as PaDiM's) shrunk as given.
double distance_of(const Rows& normal, const std::vector<double>& x, const Shrinkage& s) {
  const size_t d = x.size(), n = normal.size();
  std::vector<double> mean(d, 0);
  for (const auto& v : normal)
    for (size_t k = 0; k < d; ++k) mean[k] += v[k] / double(n);
  Rows a(d, std::vector<double>(d + 1, 0));
  for (size_t i = 0; i < d; ++i) {
    for (size_t j = 0; j < d; ++j) {
      for (const auto& v : normal) a[i][j] += (1 - s.share) * (v[i] - mean[i]) * (v[j] - mean[j]) / double(n - 1);
      if (i == j) a[i][j] += s.share * s.variance;
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

TEST(WholeImage, ShrinkageIsLedoitAndWolfs) {
  const Tensor x = features(12, 1);
  for (const auto& [first, d] : {std::pair{0, kFirst}, {kFirst, kSecond}}) {
    const Rows rows = rows_of(x, first, d);
    std::vector<float> values;
    for (const auto& r : rows) values.insert(values.end(), r.begin(), r.end());
    const Shrinkage got = ledoit_wolf(values, d), expected = shrinkage_of(rows);
    EXPECT_GT(expected.share, 0.01);
    EXPECT_LT(expected.share, 0.99);
    EXPECT_NEAR(got.share, expected.share, 1e-9);
    EXPECT_NEAR(got.variance, expected.variance, 1e-9 * expected.variance);
  }
}

TEST(WholeImage, DistancesAreThoseOfShrunkGaussiansSummed) {
  const Tensor normal = features(12, 1), seen = features(4, 2);
  WholeImage whole(normal, {kFirst, kSecond});
  whole.fit();
  const std::vector<double> got = whole.distances(seen);
  ASSERT_EQ(got.size(), 4u);
  for (size_t n = 0; n < 4; ++n) {
    double expected = 0;
    for (const auto& [first, d] : {std::pair{0, kFirst}, {kFirst, kSecond}}) {
      const Rows rows = rows_of(normal, first, d);
      expected += distance_of(rows, rows_of(seen, first, d)[n], shrinkage_of(rows));
    }
    EXPECT_NEAR(got[n], expected, 1e-3 * expected);
  }
}

TEST(WholeImage, AGroupIsLeftOutAsIfItHadNotBeenGiven) {
  const Tensor normal = features(12, 3);
  WholeImage whole(normal, {kFirst, kSecond});
  for (const int64_t g : {1, 3}) {
    whole.prepare_without(g);
    const std::vector<double> got = whole.distances(normal.batch_slice(4, 4 + g));
    for (int64_t i = 0; i < g; ++i) {
      double expected = 0;
      for (const auto& [first, d] : {std::pair{0, kFirst}, {kFirst, kSecond}}) {
        const Rows rows = rows_of(normal, first, d);
        Rows others = rows;
        others.erase(others.begin() + 4, others.begin() + 4 + g);
        expected += distance_of(others, rows[size_t(4 + i)], shrinkage_of(rows));
      }
      EXPECT_NEAR(got[size_t(i)], expected, 2e-3 * expected) << g;
    }
  }
}

TEST(WholeImage, ModelFilesAndThreadsKeepTheBits) {
  const Tensor normal = features(30, 6), seen = features(5, 7);
  const int before = thread_count();
  std::vector<std::vector<double>> fitted, left_out;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    WholeImage whole(normal, {kFirst, kSecond});
    whole.prepare_without(2);
    left_out.push_back(whole.distances(normal.batch_slice(0, 2)));
    whole.fit();
    fitted.push_back(whole.distances(seen));
    const TensorFile file{.shown_name = "m", .metadata = {}, .tensors = whole.state("whole")};
    fitted.push_back(WholeImage::from(file, "whole").distances(seen));
  }
  set_thread_count(before);
  for (const auto& d : fitted) EXPECT_EQ(d, fitted[0]);
  for (const auto& d : left_out) EXPECT_EQ(d, left_out[0]);
}

// Features that are equal in all images: any other value is far away, and nothing is divided by zero.
TEST(WholeImage, IdenticalImagesAreFitted) {
  const Tensor same = Tensor::from({3, 2}, std::vector<float>{1, 2, 1, 2, 1, 2});
  WholeImage whole(same, {2});
  whole.fit();
  const std::vector<double> d = whole.distances(Tensor::from({2, 2}, std::vector<float>{1, 2, 1, 3}));
  EXPECT_EQ(d[0], 0);
  EXPECT_TRUE(std::isfinite(d[1]));
  EXPECT_GT(d[1], 100);
}

TEST(WholeImage, Errors) {
  auto says = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_NE(says([] { WholeImage(features(1, 1), {kFirst, kSecond}); }).find("at least 2 images"), std::string::npos);
  EXPECT_NE(says([] { WholeImage(features(5, 1), {kFirst}); }).find("take features [N,3], got [5,23]"),
            std::string::npos);
  const TensorFile none{.shown_name = "m", .metadata = {}, .tensors = {}};
  EXPECT_NE(says([&] { WholeImage::from(none, "whole"); }).find("'whole.scales' is missing"), std::string::npos);
}

}  // namespace
}  // namespace kern::training
