#include "kernels/exp.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(ExpKernel, complete) { testing::check_unary(exp_table(), Exp{}); }

TEST(ExpKernel, ends_and_nan) {
  EXPECT_EQ(Exp{}.forward(-kInf), 0);
  EXPECT_EQ(Exp{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Exp{}.forward(kNaN)));
}

}  // namespace
}  // namespace kern::kernels
