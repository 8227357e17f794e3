#include "kernels/relu.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

TEST(ReluKernel, complete) { testing::check_unary(relu_table(), Relu{}); }

TEST(ReluKernel, keeps_nan) { EXPECT_TRUE(std::isnan(Relu{}.forward(std::nanf("")))); }

}  // namespace
}  // namespace kern::kernels
