#include "kernels/norm/instance_norm.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(InstanceNormSpec{.n = 3, .l = 5, .c = 2}.rows() == 15);
static_assert(InstanceNormSpec{.n = 3, .l = 5, .c = 2, .pitch = {.y = 4}}.norm().y_pitch == 4);

TEST(InstanceNormKernel, complete) {
  check_op<InstanceNorm>({{{.n = 2, .l = 5, .c = 3}},
                          {{.n = 2, .l = 37, .c = 5}},
                          {{.n = 0, .l = 7, .c = 3}},
                          {{.n = 2, .l = 9001, .c = 4}},  // several chunks a sample
                          {{.n = 2, .l = 300, .c = 131}},
                          {{.n = 1, .l = 5, .c = 16, .eps = 0.5f}},
                          {{.n = 2, .l = 33, .c = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}}}},
                         {.of_largest = 1e-5});
  // Two positions may lie close together; their deviation then amplifies the rounding of the inputs' mean.
  check_op<InstanceNorm>({{{.n = 3, .l = 2, .c = 1}}}, {.of_largest = 1e-3});
}

TEST(InstanceNormKernel, a_mean_of_1000_costs_no_digits) {  // but in the reference's plain float sums
  check_op<InstanceNorm>({{{.n = 2, .l = 9001, .c = 4}, {{"x", {999, 1001}}}}}, {.of_largest = 2e-4, .reference = 10});
}

TEST(InstanceNormKernel, a_constant_channel_becomes_zero) {
  const InstanceNormSpec g{.n = 1, .l = 10, .c = 2};
  Array<> x(10, 2);
  x.for_each([](float& v) { v = 0.1f; });
  for_each_impl(InstanceNorm::registry(), g, [&](const auto& impl, const Exec& exec) {
    Array<> y(10, 2), zero(10, 2), mean(1, 2), inverse(1, 2);
    zero.for_each([](float& v) { v = 0; });
    impl.forward(exec, g, {x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data()});
    EXPECT_TRUE(close(y, zero, {.absolute = 1e-4}));
  });
}

TEST(InstanceNormKernel, a_nan_reaches_the_whole_channel_and_no_other) {
  const InstanceNormSpec g{.n = 1, .l = 40, .c = 2};
  auto x = Array<>::uniform(40, 2, 0, 1);
  x.at(7, 1) = std::nanf("");
  for_each_impl(InstanceNorm::registry(), g, [&](const auto& impl, const Exec& exec) {
    Array<> y(40, 2), mean(1, 2), inverse(1, 2);
    impl.forward(exec, g, {x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data()});
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(!std::isnan(y.at(i, 0)) && std::isnan(y.at(i, 1)));
  });
}

}  // namespace
}  // namespace kern::kernels
