#include "kernels/exp.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInfinity, kern::testing::kNan;

TEST(ExpKernel, complete) { testing::check_unary(exp_table(), Exp{}); }

TEST(ExpKernel, ends_and_nan) {
  EXPECT_EQ(Exp{}.forward(-kInfinity), 0);
  EXPECT_EQ(Exp{}.forward(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(Exp{}.forward(kNan)));
}

}  // namespace
}  // namespace kern::kernels
