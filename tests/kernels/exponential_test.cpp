#include "kernels/common/exponential.h"

#include <gtest/gtest.h>

#include <limits>

namespace kern::kernels {
namespace {

TEST(Exponential, is_within_two_units_of_the_last_place) {
  double worst = 0;
  for (int i = -86000; i <= 88700; ++i) {
    const float x = float(i) * 1e-3f + 3e-4f;
    const double exact = std::exp(double(x)), error = std::abs(double(exponential(x)) - exact) / exact;
    ASSERT_FALSE(std::isnan(error));
    worst = std::max(worst, error);
  }
  EXPECT_LT(worst, 2 * 0x1p-23);
  EXPECT_EQ(exponential(0.0f), 1.0f);
}

TEST(Exponential, ends_and_nan) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exponential(-infinity), 0);
  EXPECT_EQ(exponential(-87.0f), 0);
  EXPECT_GT(exponential(-86.4f), 0);
  EXPECT_LT(exponential(88.7f), infinity);
  EXPECT_EQ(exponential(89.0f), infinity);
  EXPECT_EQ(exponential(infinity), infinity);
  EXPECT_TRUE(std::isnan(exponential(std::nanf(""))));
}

}  // namespace
}  // namespace kern::kernels
