#include "kernels/common/elementary.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/not_numbers.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

// The largest error over 200 000 steps of [low, high], in units of the exact value's last place.
template <class F, class G>
double worst_error(float low, float high, F&& f, G&& exact) {
  double worst = 0;
  for (int i = 0; i <= 200000; ++i) {
    const float x = low + (high - low) * (float(i) / 200000.0f);
    const double e = exact(double(x)), error = std::abs(double(f(x)) - e),
                 unit = e == 0 ? 0 : std::ldexp(1.0, std::ilogb(e) - 23);
    if (!(error <= worst * unit)) worst = unit == 0 ? double(kInf) : error / unit;
  }
  return worst;
}
#define KERN_WORST(f, exact, low, high) \
  worst_error(                          \
      low, high, [](float x) { return f(x); }, [](double x) { return exact(x); })

TEST(Elementary, exponential_minus_one) {
  for (float range : {1e-3f, 1.0f, 80.0f}) EXPECT_LE(KERN_WORST(exponential_minus_one, std::expm1, -range, range), 3);
  EXPECT_EQ(exponential_minus_one(0.0f), 0);
  EXPECT_EQ(exponential_minus_one(-kInf), -1);
  EXPECT_EQ(exponential_minus_one(kInf), kInf);
  EXPECT_TRUE(std::isnan(exponential_minus_one(kNaN)));
}

TEST(Elementary, logarithm) {
  for (float high : {1.5f, 1e3f, 1e38f}) EXPECT_LE(KERN_WORST(logarithm, std::log, 1e-3f, high), 2);
  EXPECT_LE(KERN_WORST(logarithm, std::log, 1e-42f, 1e-37f), 2);
  EXPECT_EQ(logarithm(1.0f), 0);
  EXPECT_EQ(logarithm(0.0f), -kInf);
  EXPECT_EQ(logarithm(kInf), kInf);
  EXPECT_TRUE(std::isnan(logarithm(-1.0f)));
  EXPECT_TRUE(std::isnan(logarithm(kNaN)));
}

TEST(Elementary, logarithm_of_one_plus_share) {
  for (float range : {1e-30f, 1e-5f, 0.01f, 0.5f, 1.0f})
    EXPECT_LE(KERN_WORST(logarithm_of_one_plus_share, std::log1p, 0.0f, range), 2) << range;
  EXPECT_EQ(logarithm_of_one_plus_share(0.0f), 0.0f);
  EXPECT_TRUE(std::isnan(logarithm_of_one_plus_share(kNaN)));
}

TEST(Elementary, hyperbolic_tangent) {
  for (float range : {1e-3f, 1.0f, 20.0f}) EXPECT_LE(KERN_WORST(hyperbolic_tangent, std::tanh, -range, range), 4);
  EXPECT_EQ(hyperbolic_tangent(kInf), 1);
  EXPECT_EQ(hyperbolic_tangent(-kInf), -1);
  EXPECT_TRUE(std::isnan(hyperbolic_tangent(kNaN)));
}

TEST(Elementary, normal_distribution) {
  double worst = 0;
  for (int i = -800000; i <= 800000; ++i) {
    const float x = float(i) * 1e-5f, y = normal_distribution(x);
    ASSERT_TRUE(y >= 0 && y <= 1) << x;
    worst = std::max(worst, std::abs(double(y) - normal_distribution(double(x))));
  }
  EXPECT_LE(worst, 2.5e-7);
  EXPECT_EQ(normal_distribution(0.0f), 0.5f);
  for (const float far : {5.6f, 1e3f, 1e30f, kInf}) {
    EXPECT_EQ(normal_distribution(far), 1);
    EXPECT_EQ(normal_distribution(-far), 0);
  }
  EXPECT_TRUE(std::isnan(normal_distribution(kNaN)));
}

#undef KERN_WORST

}  // namespace
}  // namespace kern::kernels
