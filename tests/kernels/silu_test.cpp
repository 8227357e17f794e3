#include "kernels/silu.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(SiluKernel, complete) { testing::check_unary(silu_table(), Silu{}, -6, 6); }

// Rows and float reference share their functions: the double formula judges both.
TEST(SiluKernel, is_near_the_double_formula_everywhere) {
  for (int i = -8000; i <= 8000; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = d / (1 + std::exp(-d));
    ASSERT_TRUE(std::abs(double(Silu{}.forward(x)) - exact) <= 4e-7 * std::abs(exact)) << x;
  }
}

TEST(SiluKernel, ends_and_nan) {
  EXPECT_EQ(Silu{}.forward(100.0f), 100);
  EXPECT_EQ(Silu{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(Silu{}.forward(kNan)));
}

}  // namespace
}  // namespace kern::kernels
