#include "kernels/log.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(LogKernel, complete) { testing::check_unary(log_table(), Log{}, 0.01, 20); }

TEST(LogKernel, ends_and_nan) {
  EXPECT_EQ(Log{}.forward(0.0f), -kInf);
  EXPECT_EQ(Log{}.forward(kInf), kInf);
  EXPECT_TRUE(std::isnan(Log{}.forward(-1.0f)));
  EXPECT_TRUE(std::isnan(Log{}.forward(kNaN)));
}

}  // namespace
}  // namespace kern::kernels
