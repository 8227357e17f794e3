#include "kernels/scale.h"

#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

TEST(ScaleKernel, complete) {
  testing::check_unary(scale_table(), Scale{.a = -2, .b = 0.5f});
  testing::check_unary(scale_table(), Scale{.a = 1, .b = 0});
}

TEST(ScaleKernel, by_hand) { EXPECT_EQ((Scale{.a = 3, .b = -1}.forward(2.0f)), 5); }

}  // namespace
}  // namespace kern::kernels
