#include "kernels/pool/avg_pool.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

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

TEST(AvgPoolKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const PoolSpec& pool : kAvgPoolCases)
    for (bool count : {true, false}) {
      const AvgPoolSpec a{.pool = pool, .count_include_pad = count};
      const PoolSpec& g = a.pool;
      SCOPED_TRACE(text("h ", g.h, " w ", g.w, " c ", g.c));
      const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1, 4),
                 dy = Array<>::integers(g.y_rows(), g.c, g.pitch.dy, 2);
      Array<> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
      const auto xd = x.as<double>(), dyd = dy.as<double>();
      Array<double> yd(g.y_rows(), g.c, g.pitch.y), dxd(g.x_rows(), g.c, g.pitch.dx);
      avg_pool_forward_reference(a, xd.data(), yd.data());
      avg_pool_backward_reference(a, dyd.data(), dxd.data());
      // Where windows are powers of two and whole, integers make it exact.
      const bool exact = (g.r * g.s & (g.r * g.s - 1)) == 0 && count;
      const Tolerance near{.absolute = exact ? 0 : 2e-6, .relative = exact ? 0 : 2e-6};
      for_each_impl(avg_pool_registry(), a, [&](const AvgPoolImpl& impl, const Exec& exec) {
        if (std::string_view(impl.name) == "reference" && g.r * g.s > 1000) return;  // plain float sums
        Array<> last_y(0, 1), last_dx(0, 1);
        for (int threads : {1, 3}) {
          set_thread_count(threads);
          Array<> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
          impl.forward(exec, a, x.data(), y.data());
          EXPECT_TRUE(close(y, yd, near));
          impl.backward(exec, a, dy.data(), dx.data());
          EXPECT_TRUE(close(dx, dxd, near));
          if (threads == 3) {
            EXPECT_TRUE(close(y, last_y));
            EXPECT_TRUE(close(dx, last_dx));
          }
          last_y = y, last_dx = dx;
        }
      });
    }
  set_thread_count(before);
}

TEST(AvgPoolKernel, a_nan_reaches_its_windows_and_no_other) {
  const AvgPoolSpec a{.pool = {.w = 6, .s = 2, .stride_w = 2}};
  const Values<> x{1, std::nanf(""), 3, 4, 5, 6};
  for_each_impl(avg_pool_registry(), a, [&](const AvgPoolImpl& impl, const Exec& exec) {
    Values<> y(3);
    impl.forward(exec, a, x.data(), y.data());
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 3.5f);
    EXPECT_EQ(y[2], 5.5f);
  });
}

TEST(AvgPoolReference, is_its_own_derivative) {
  for (const PoolSpec& pool : kAvgPoolCases)
    for (bool count : {true, false}) {
      const AvgPoolSpec a{.pool = pool, .count_include_pad = count};
      const PoolSpec& g = a.pool;
      if (g.x_rows() * g.c > 300 || g.pitch.x) continue;
      auto x = Array<Complex>::uniform(g.x_rows(), g.c, 0, 1);
      const auto dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
      Array<double> dx(g.x_rows(), g.c);
      avg_pool_backward_reference(a, dy.data(), dx.data());
      EXPECT_TRUE(close(complex_step(x,
                                     [&] {
                                       Array<Complex> y(g.y_rows(), g.c);
                                       avg_pool_forward_reference(a, x.data(), y.data());
                                       return weighted_sum(dy, y);
                                     }),
                        dx, {.absolute = 1e-12}));
    }
}

}  // namespace
}  // namespace kern::kernels
