#include "kernels/tanh.h"

#include "tests/support/not_numbers.h"
#include "tests/support/unary_check.h"

namespace kern::kernels {
namespace {

using kern::testing::kInf, kern::testing::kNaN;

TEST(TanhKernel, complete) { testing::check_unary(tanh_table(), Tanh{}, -4, 4); }

TEST(TanhKernel, ends_and_nan) {
  EXPECT_EQ(Tanh{}.forward(kInf), 1);
  EXPECT_EQ(Tanh{}.forward(-kInf), -1);
  EXPECT_TRUE(std::isnan(Tanh{}.forward(kNaN)));
}

TEST(TanhKernel, golden) {  // torch.nn.functional.tanh and its gradient
  testing::expect_unary(tanh_table(), Tanh{}, {-3, -1, -0.25f, 0.5f, 2, 7},
                        {-0.995054781f, -0.761594176f, -0.244918659f, 0.462117165f, 0.964027584f, 0.999998331f},
                        {0.00986598153f, 0.419974297f, 0.940014839f, 0.786447704f, 0.070650816f, 3.33785738e-06f});
}

}  // namespace
}  // namespace kern::kernels
