#include "kernels/gelu_tanh.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kNaN;

TEST(GeluTanhKernel, complete) { testing::check_unary(gelu_tanh_table(), GeluTanh{}, -6, 6); }

// Rows and float reference share their functions: the double formula judges both.
TEST(GeluTanhKernel, is_near_the_double_formula_everywhere) {
  for (int i = -1500; i <= 1500; ++i) {
    const float x = float(i) * 0.01f;
    const double d = double(x),
                 exact = 0.5 * d * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (d + 0.044715 * d * d * d)));
    ASSERT_TRUE(std::abs(double(GeluTanh{}.forward(x)) - exact) <= 2e-6 * std::abs(exact) + 1e-9) << x;
  }
}

TEST(GeluTanhKernel, ends_and_nan) {
  EXPECT_EQ(GeluTanh{}.forward(100.0f), 100);
  EXPECT_EQ(GeluTanh{}.forward(-100.0f), 0);
  EXPECT_TRUE(std::isnan(GeluTanh{}.forward(kNaN)));
}

TEST(GeluTanhKernel, golden) {  // torch.nn.functional.gelu(approximate="tanh") and its gradient
  testing::expect_unary(gelu_tanh_table(), GeluTanh{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.00363743305f, -0.158807993f, -0.100324646f, 0.345714003f, 1.95459771f, 7},
                        {-0.0115842968f, -0.0829640925f, 0.304645896f, 0.86736989f, 1.08609927f, 1});
}

}  // namespace
}  // namespace kern::kernels
