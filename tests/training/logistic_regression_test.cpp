#include "training/logistic_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/parallel.h"

namespace kern::training {
namespace {

// The data of make_logistic_golden.py.
struct Samples {
  std::vector<float> x;
  std::vector<int> y;
};
Samples samples(int n = 60) {
  Samples s;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < 3; ++j) s.x.push_back(float((7 * i + 3 * j + (i * j) % 5) % 11));
    const float* x = &s.x[size_t(3 * i)];
    s.y.push_back(i % 9 == 0 ? i % 3 : (x[0] + x[1] < 9 ? 0 : (x[2] < 6 ? 1 : 2)));
  }
  return s;
}

TEST(LogisticRegression, FindsTheMinimumThatNewtonsMethodFinds) {
  const Samples s = samples();
  const LogisticRegression r = fit_logistic_regression(s.x, s.y, 3, {.penalty = 1e-2, .tolerance = 1e-8});
  const double weight[] = {-0.449630518, -0.372306658, -0.12604404, 0.132841958, 0.128360054,
                           -0.482533672, 0.31678856,   0.243946604, 0.608577712};
  const double bias[] = {5.573494253, 1.334401909, -6.907896162};
  const int classes[] = {0, 0, 1, 2, 0, 0, 2, 1, 0, 2, 2, 0, 0, 2, 2, 1, 2, 2, 0, 2, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0,
                         0, 0, 1, 0, 0, 2, 2, 0, 2, 2, 1, 0, 2, 1, 0, 1, 1, 2, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 2, 0};
  ASSERT_EQ(r.weight.size(), 9u);
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(r.weight[i], weight[i], 1e-6) << i;
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(r.bias[i], bias[i], 1e-5) << i;
  for (size_t i = 0; i < 60; ++i) EXPECT_EQ(r.predict({&s.x[3 * i], 3}), classes[i]) << i;
}

TEST(LogisticRegression, GradientByFiniteDifferences) {
  const Samples s = samples(25);
  const std::vector<double> z(s.x.begin(), s.x.end());
  std::vector<double> p(12), slope(12), unused(12);
  for (size_t i = 0; i < p.size(); ++i) p[i] = 0.03 * double(int(i * 5 % 7) - 3);
  logistic_objective(z, s.y, 3, 0.1, p, slope);
  for (size_t i = 0; i < p.size(); ++i) {
    const double h = 1e-5, at = p[i];
    p[i] = at + h;
    const double above = logistic_objective(z, s.y, 3, 0.1, p, unused);
    p[i] = at - h;
    const double below = logistic_objective(z, s.y, 3, 0.1, p, unused);
    p[i] = at;
    EXPECT_NEAR(slope[i], (above - below) / (2 * h), 1e-8) << i;
  }
}

TEST(LogisticRegression, TheSameBitsForAnyNumberOfThreads) {
  const Samples s = samples(5000);  // three chunks
  const int before = thread_count();
  set_thread_count(1);
  const LogisticRegression one = fit_logistic_regression(s.x, s.y, 3);
  set_thread_count(3);
  const LogisticRegression three = fit_logistic_regression(s.x, s.y, 3);
  set_thread_count(before);
  EXPECT_EQ(one.weight, three.weight);
  EXPECT_EQ(one.bias, three.bias);
}

TEST(LogisticRegression, OddData) {
  // A feature that never varies, a class that never occurs, one sample, classes that a plane parts without error.
  const LogisticRegression constant =
      fit_logistic_regression(std::vector<float>{5, 0, 5, 1, 5, 2, 5, 3}, std::vector<int>{0, 0, 2, 2}, 3);
  EXPECT_EQ(constant.weight[0], 0);
  EXPECT_EQ(constant.predict(std::vector<float>{5, 0}), 0);
  EXPECT_EQ(constant.predict(std::vector<float>{5, 3}), 2);
  const LogisticRegression one = fit_logistic_regression(std::vector<float>{1, 2}, std::vector<int>{1}, 2);
  EXPECT_EQ(one.predict(std::vector<float>{7, 7}), 1);
  for (float w : constant.weight) EXPECT_TRUE(std::isfinite(w));
  EXPECT_EQ(one.predict(std::vector<float>{NAN, 0}), 0);
}

}  // namespace
}  // namespace kern::training
