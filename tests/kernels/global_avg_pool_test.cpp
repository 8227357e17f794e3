#include "kernels/pool/global_avg_pool.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(GlobalAvgPoolSpec{.n = 3, .l = 5, .c = 2, .pitch = {.dy = 4}}.dy_pitch() == 4);

TEST(GlobalAvgPoolKernel, complete) {
  check_op<GlobalAvgPool>({{{.n = 2, .l = 37, .c = 5}},
                           {{.n = 3, .l = 1, .c = 1}},
                           {{.n = 0, .l = 7, .c = 3}},
                           {{.n = 2, .l = 9001, .c = 4}},
                           {{.n = 2, .l = 300, .c = 131}},  // several chunks, several tiles
                           {{.n = 3, .l = 33, .c = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}}}},
                          {.of_largest = 3e-7, .relative = 3e-7});
}

TEST(GlobalAvgPoolKernel, a_nan_reaches_its_channel_and_no_other) {
  const GlobalAvgPoolSpec g{.n = 1, .l = 40, .c = 2};
  auto x = Array<>::integers(40, 2, 0, 1);
  x.at(7, 1) = std::nanf("");
  for_each_impl(GlobalAvgPool::registry(), g, [&](const auto& impl, const Exec& exec) {
    Array<> y(1, 2);
    impl.forward(exec, g, {x.data(), y.data()});
    EXPECT_TRUE(!std::isnan(y.at(0, 0)) && std::isnan(y.at(0, 1)));
  });
}

}  // namespace
}  // namespace kern::kernels
