#include "kernels/elu.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

TEST(EluKernel, complete) {
  for (float alpha : {1.0f, 0.0f, 1.5f}) testing::check_unary(elu_table(), Elu{alpha});
}

TEST(EluKernel, ends_and_nan) {
  EXPECT_EQ(Elu{2}.forward(-kInfinity), -2);
  EXPECT_EQ(Elu{2}.forward(kInfinity), kInfinity);
  EXPECT_EQ(Elu{2}.forward(0.0f), 0);
  EXPECT_EQ(Elu{2}.derivative(0.0f), 2);
  EXPECT_NEAR(Elu{}.forward(-1e-6f), -1e-6f, 1e-12f);
  EXPECT_TRUE(std::isnan(Elu{0}.forward(kNan)));
}

}  // namespace
}  // namespace kern::kernels
