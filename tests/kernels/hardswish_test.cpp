#include "kernels/hardswish.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(HardswishKernel, complete) { testing::check_unary(hardswish_table(), Hardswish{}, -6, 6); }

TEST(HardswishKernel, ends_and_nan) {
  EXPECT_EQ(Hardswish{}.forward(-kInf), 0);
  EXPECT_EQ(Hardswish{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Hardswish{}.forward(kNaN)));
  EXPECT_TRUE(std::isnan(Hardswish{}.derivative(kNaN)));
  EXPECT_EQ(Hardswish{}.derivative(-3.0f), 0);
  EXPECT_EQ(Hardswish{}.derivative(3.0f), 1);
}

TEST(HardswishKernel, golden) {  // torch.nn.functional.hardswish and its gradient
  testing::expect_unary(hardswish_table(), Hardswish{}, {-4, -2, -0.25f, 0.5f, 2, 7},
                        {0, -0.333333343f, -0.114583336f, 0.291666657f, 1.66666663f, 7},
                        {0, -0.166666672f, 0.416666657f, 0.666666687f, 1.16666675f, 1});
}

}  // namespace
}  // namespace kern::kernels
