#include "kernels/elu.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(EluKernel, complete) {
  for (float alpha : {1.0f, 0.0f, 1.5f}) testing::check_unary(elu_table(), Elu{alpha});
}

TEST(EluKernel, ends_and_nan) {
  EXPECT_EQ(Elu{2}.forward(-kInf), -2);
  EXPECT_EQ(Elu{2}.forward(kInf), kInf);
  EXPECT_EQ(Elu{2}.forward(0.0f), 0);
  EXPECT_EQ(Elu{2}.derivative(0.0f), 2);
  EXPECT_NEAR(Elu{}.forward(-1e-6f), -1e-6f, 1e-12f);
  EXPECT_TRUE(std::isnan(Elu{0}.forward(kNaN)));
}

TEST(EluKernel, golden) {  // torch.nn.functional.elu(alpha=1.5) and its gradient
  testing::expect_unary(elu_table(), Elu{1.5f}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-1.42531943f, -0.948180795f, -0.331798822f, 0.5f, 2, 7},
                        {0.0746805966f, 0.551819205f, 1.16820121f, 1, 1, 1});
}

}  // namespace
}  // namespace kern::kernels
