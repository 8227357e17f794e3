#include "kernels/leaky_relu.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

TEST(LeakyReluKernel, complete) {
  for (float slope : {0.2f, 0.0f, 2.0f}) testing::check_unary(leaky_relu_table(), LeakyRelu{slope});
}

TEST(LeakyReluKernel, keeps_nan) { EXPECT_TRUE(std::isnan(LeakyRelu{0}.forward(std::nanf("")))); }

}  // namespace
}  // namespace kern::kernels
