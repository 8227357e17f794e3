#include "kernels/pool/avg_pool.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

constexpr PoolSpec kPadded{.h = 5, .w = 5, .r = 3, .s = 3, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 1};
static_assert(AvgPoolSpec{.pool = kPadded}.divisor(0, 0) == 9);
static_assert(AvgPoolSpec{.pool = kPadded, .count_include_pad = false}.divisor(0, 0) == 4);
static_assert(AvgPoolSpec{.pool = kPadded, .count_include_pad = false}.divisor(1, 0) == 6);
static_assert(PoolSpec{.w = 9, .s = 2, .stride_w = 3}.windows_at_column(2).begin ==
              PoolSpec{.w = 9, .s = 2, .stride_w = 3}.windows_at_column(2).end);  // no window holds column 2

const PoolSpec kAvgPoolCases[] = {
    {.n = 2, .c = 3, .h = 8, .w = 6, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2, .c = 5, .h = 7, .w = 9, .r = 2, .s = 4, .stride_h = 2, .stride_w = 1},
    {.n = 2,
     .c = 4,
     .h = 7,
     .w = 6,
     .r = 3,
     .s = 3,
     .stride_h = 2,
     .stride_w = 2,
     .pad_top = 1,
     .pad_bottom = 1,
     .pad_left = 1,
     .pad_right = 1},
    {.n = 1, .c = 67, .h = 5, .w = 6, .r = 3, .s = 2, .pad_bottom = 2, .pad_left = 1},
    {.n = 1, .c = 2, .h = 9, .w = 9, .r = 2, .s = 2, .stride_h = 3, .stride_w = 4},  // positions between windows
    {.n = 3, .c = 8, .w = 37, .s = 2, .stride_w = 2},
    {.n = 1, .c = 1, .w = 70, .s = 5, .pad_left = 2, .pad_right = 2},
    {.n = 0, .c = 3, .h = 4, .w = 4, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2,
     .c = 3,
     .h = 6,
     .w = 4,
     .r = 2,
     .s = 2,
     .stride_h = 2,
     .stride_w = 2,
     .pitch = {.x = 7, .y = 4, .dx = 5, .dy = 6}},
    {.n = 1, .c = 3, .h = 40, .w = 50, .r = 30, .s = 40, .stride_h = 7, .stride_w = 5},  // long sums
    {.n = 2, .c = 20, .h = 60, .w = 50, .r = 4, .s = 4, .stride_h = 2, .pad_top = 2, .pad_bottom = 2},
};

TEST(AvgPoolKernel, complete) {
  std::vector<OpCase<AvgPool>> exact, near;  // where windows are powers of two and whole, integers make it exact
  for (const PoolSpec& g : kAvgPoolCases)
    for (bool count : {true, false}) {
      const bool power = (g.r * g.s & (g.r * g.s - 1)) == 0 && count;
      (power ? exact : near).push_back({{.pool = g, .count_include_pad = count}});
    }
  check_op<AvgPool>(exact, {.exact = true});
  check_op<AvgPool>(near);
}

TEST(AvgPoolKernel, a_nan_reaches_its_windows_and_no_other) {
  const AvgPoolSpec a{.pool = {.w = 6, .s = 2, .stride_w = 2}};
  const Values<> x{1, std::nanf(""), 3, 4, 5, 6};
  for_each_impl(AvgPool::registry(), a, [&](const auto& impl, const Exec& exec) {
    Values<> y(3);
    impl.forward(exec, a, {x.data(), y.data()});
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 3.5f);
    EXPECT_EQ(y[2], 5.5f);
  });
}

}  // namespace
}  // namespace kern::kernels
