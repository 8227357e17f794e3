#include "kernels/norm/group_norm.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(GroupNormSpec{.n = 3, .l = 5, .c = 6, .groups = 2}.values() == 15);
static_assert(GroupNormSpec{.n = 3, .l = 5, .c = 6, .groups = 2, .pitch = {.y = 7}}.y_pitch() == 7);

TEST(GroupNormKernel, complete) {
  check_op<GroupNorm>({{{.n = 2, .l = 3, .c = 6, .groups = 2}},
                       {{.n = 2, .l = 37, .c = 6, .groups = 3}},
                       {{.n = 3, .l = 7, .c = 5, .groups = 1}},
                       {{.n = 3, .l = 7, .c = 5, .groups = 5}},
                       {{.n = 4, .l = 1, .c = 12, .groups = 2}},
                       {{.n = 2, .l = 9, .c = 1, .groups = 1}},
                       {{.n = 0, .l = 7, .c = 4, .groups = 2}},
                       {{.n = 2, .l = 9001, .c = 4, .groups = 2}},  // several chunks a sample
                       {{.n = 2, .l = 300, .c = 132, .groups = 4}},
                       {{.n = 1, .l = 5, .c = 16, .groups = 4, .eps = 0.5f}},
                       {{.n = 2, .l = 33, .c = 3, .groups = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}}}},
                      {.of_largest = 1e-5});
}

TEST(GroupNormKernel, a_mean_of_1000_costs_no_digits) {  // but in the reference's plain float sums
  check_op<GroupNorm>({{{.n = 2, .l = 9001, .c = 4, .groups = 2}, {{"x", {999, 1001}}}}},
                      {.of_largest = 2e-4, .reference = 10});
}

TEST(GroupNormKernel, by_hand_and_a_constant_group_becomes_zero) {
  const GroupNormSpec g{.n = 1, .l = 2, .c = 4, .groups = 2, .eps = 1};
  const Values<> x{-4, 4, 7, 7, 4, -4, 7, 7};  // mean 0, variance 16; mean 7, variance 0
  for_each_impl(GroupNorm::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> y(8), mean(2), inverse(2);
    impl.forward(exec, g, {x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data()});
    EXPECT_EQ(mean[0], 0);
    EXPECT_EQ(mean[1], 7);
    EXPECT_EQ(inverse[1], 1);
    for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(y[i], i % 4 < 2 ? x[i] / std::sqrt(17.0f) : 0.0f);
  });
}

TEST(GroupNormKernel, a_nan_reaches_the_whole_group_and_no_other) {
  const GroupNormSpec g{.n = 2, .l = 40, .c = 4, .groups = 2};
  auto x = Array<>::uniform(80, 4, 0, 1);
  x.at(7, 3) = std::nanf("");
  for_each_impl(GroupNorm::registry(), g, [&](const auto& impl, const Exec& exec) {
    Array<> y(80, 4), mean(2, 2), inverse(2, 2);
    impl.forward(exec, g, {x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data()});
    for (int i = 0; i < 80; ++i)
      for (int c = 0; c < 4; ++c) EXPECT_EQ(std::isnan(y.at(i, c)), i < 40 && c >= 2);
  });
}

}  // namespace
}  // namespace kern::kernels
