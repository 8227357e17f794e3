#include "kernels/silu.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kNaN;

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
  EXPECT_TRUE(std::isnan(Silu{}.forward(kNaN)));
}

TEST(SiluKernel, golden) {  // torch.nn.functional.silu and its gradient
  testing::expect_unary(silu_table(), Silu{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.142277613f, -0.268941432f, -0.109455876f, 0.311229676f, 1.76159406f, 6.99362278f},
                        {-0.0881041065f, 0.0723294839f, 0.376289994f, 0.739961207f, 1.09078431f, 1.00546014f});
}

}  // namespace
}  // namespace kern::kernels
