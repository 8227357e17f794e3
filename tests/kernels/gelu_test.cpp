#include "kernels/gelu.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kNaN;

TEST(GeluKernel, complete) { testing::check_unary(gelu_table(), Gelu{}, -6, 6); }

// Rows and float reference share their functions: the double formula judges both.
TEST(GeluKernel, is_near_the_double_formula_everywhere) {
  for (int i = -1500; i <= 1500; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = d * 0.5 * std::erfc(-d * std::sqrt(0.5));
    ASSERT_TRUE(std::abs(double(Gelu{}.forward(x)) - exact) <= 3e-7 * std::abs(exact) + 3e-7 * std::abs(d) * (d < 0))
        << x;
  }
}

TEST(GeluKernel, ends_and_nan) {
  EXPECT_EQ(Gelu{}.forward(100.0f), 100);
  EXPECT_EQ(Gelu{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(Gelu{}.forward(kNaN)));
  EXPECT_TRUE(std::isnan(Gelu{}.derivative(kNaN)));
}

TEST(GeluKernel, golden) {  // torch.nn.functional.gelu and its gradient (exact: -0.004049694 at -3)
  testing::expect_unary(gelu_table(), Gelu{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.00405022502f, -0.158655256f, -0.100323416f, 0.345731229f, 1.95449972f, 7},
                        {-0.0119456053f, -0.0833154321f, 0.304626703f, 0.86749506f, 1.0852319f, 1});
}

}  // namespace
}  // namespace kern::kernels
