#include "kernels/sigmoid.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

TEST(SigmoidKernel, complete) { testing::check_unary(sigmoid_table(), Sigmoid{}, -6, 6, {.absolute = 1e-7}); }

// Rows and float reference share one exponential: the double formula judges both.
TEST(SigmoidKernel, is_near_the_double_formula_everywhere) {
  for (int i = -12000; i <= 12000; ++i) {
    const float x = float(i) * 0.01f;
    const double exact = 1 / (1 + std::exp(-double(x)));
    ASSERT_TRUE(std::abs(double(Sigmoid{}.forward(x)) - exact) <= 3e-7 * exact + 1e-37) << x;
  }
}

TEST(SigmoidKernel, ends_and_nan) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Sigmoid{}.forward(-infinity), 0);
  EXPECT_EQ(Sigmoid{}.forward(infinity), 1);
  EXPECT_EQ(Sigmoid{}.forward(0.0f), 0.5f);
  EXPECT_TRUE(std::isnan(Sigmoid{}.forward(std::nanf(""))));
}

}  // namespace
}  // namespace kern::kernels
