#include "kernels/relu6.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(Relu6Kernel, complete) { testing::check_unary(relu6_table(), Relu6{}, -3, 9); }

TEST(Relu6Kernel, ends_and_nan) {
  EXPECT_EQ(Relu6{}.forward(-kInf), 0);
  EXPECT_EQ(Relu6{}.forward(kInf), 6);
  EXPECT_TRUE(std::isnan(Relu6{}.forward(kNaN)));
  EXPECT_EQ(Relu6{}.derivative(0.0f), 0);
  EXPECT_EQ(Relu6{}.derivative(6.0f), 0);
}

TEST(Relu6Kernel, golden) {  // torch.nn.functional.relu6 and its gradient
  testing::expect_unary(relu6_table(), Relu6{}, {-3, -1, -0.25f, 0.5f, 2, 7}, {0, 0, 0, 0.5f, 2, 6},
                        {0, 0, 0, 1, 1, 0});
}

}  // namespace
}  // namespace kern::kernels
