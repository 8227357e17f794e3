#include "kernels/exp.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

TEST(ExpKernel, complete) { testing::check_unary(exp_table(), Exp{}); }

TEST(ExpKernel, ends_and_nan) {
  EXPECT_EQ(Exp{}.forward(-kInfinity), 0);
  EXPECT_EQ(Exp{}.forward(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(Exp{}.forward(kNan)));
}

}  // namespace
}  // namespace kern::kernels
