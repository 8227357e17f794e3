#include "kernels/tanh.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

TEST(TanhKernel, complete) { testing::check_unary(tanh_table(), Tanh{}, -4, 4); }

TEST(TanhKernel, ends_and_nan) {
  EXPECT_EQ(Tanh{}.forward(kInfinity), 1);
  EXPECT_EQ(Tanh{}.forward(-kInfinity), -1);
  EXPECT_TRUE(std::isnan(Tanh{}.forward(kNan)));
}

}  // namespace
}  // namespace kern::kernels
