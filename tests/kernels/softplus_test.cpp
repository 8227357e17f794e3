#include "kernels/softplus.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(SoftplusKernel, complete) {
  testing::check_unary(softplus_table(), Softplus{}, -6, 6);
  testing::check_unary(softplus_table(), Softplus{.beta = 3, .threshold = 6}, -3, 3);
}

// Rows and float reference share their functions: the double formula judges both.
TEST(SoftplusKernel, is_near_the_double_formula_everywhere) {
  for (int i = -8000; i <= 8000; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x), exact = std::log1p(std::exp(d));
    ASSERT_TRUE(std::abs(double(Softplus{}.forward(x)) - exact) <= 5e-7 * exact) << x;
  }
}

TEST(SoftplusKernel, ends_and_nan) {
  EXPECT_EQ(Softplus{}.forward(100.0f), 100);
  EXPECT_EQ(Softplus{}.forward(kInf), kInf);
  EXPECT_EQ(Softplus{}.forward(-kInf), 0);
  EXPECT_EQ(Softplus{}.derivative(kInf), 1);
  EXPECT_TRUE(std::isnan(Softplus{}.forward(kNaN)));
}

TEST(SoftplusKernel, golden) {  // torch.nn.functional.softplus(beta=3, threshold=6) and its gradient
  testing::expect_unary(softplus_table(), (Softplus{.beta = 3, .threshold = 6}), {-3, -1, -0.25f, 0.5f, 2, 7},
                        {4.11340625e-05f, 0.0161957834f, 0.128957003f, 0.567137778f, 2.00082517f, 7},
                        {0.00012339458f, 0.0474258736f, 0.320821285f, 0.817574501f, 0.997527361f, 1});
}

}  // namespace
}  // namespace kern::kernels
