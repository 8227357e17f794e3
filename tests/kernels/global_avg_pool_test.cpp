#include "kernels/pool/global_avg_pool.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(GlobalAvgPoolSpec{.n = 3, .l = 5, .c = 2, .pitch = {.dy = 4}}.dy_pitch() == 4);

const GlobalAvgPoolSpec kGlobalAvgPoolSpecs[] = {
    {.n = 2, .l = 37, .c = 5},
    {.n = 3, .l = 1, .c = 1},
    {.n = 0, .l = 7, .c = 3},
    {.n = 2, .l = 9001, .c = 4},
    {.n = 2, .l = 300, .c = 131},  // several chunks, several tiles
    {.n = 3, .l = 33, .c = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}},
};

TEST(GlobalAvgPoolKernel, rows_are_near_the_double_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const GlobalAvgPoolSpec& g : kGlobalAvgPoolSpecs) {
    SCOPED_TRACE(text(g.n, " x ", g.l, " x ", g.c));
    const auto x = Array<>::uniform(g.n * g.l, g.c, g.pitch.x, 1, 0, 1), dy = Array<>::uniform(g.n, g.c, g.pitch.dy, 2);
    const auto xd = x.as<double>(), dyd = dy.as<double>();
    Array<double> y0(g.n, g.c, g.pitch.y), dx0(g.n * g.l, g.c, g.pitch.dx);
    global_avg_pool_forward_reference(g, xd.data(), y0.data());
    global_avg_pool_backward_reference(g, dyd.data(), dx0.data());
    for_each_impl(global_avg_pool_registry(), g, [&](const GlobalAvgPoolImpl& impl, const Exec& exec) {
      const bool plain = std::string_view(impl.name) == "reference";  // float sums
      Array<> last(0, 1);
      for (int threads : {1, 3}) {
        set_thread_count(threads);
        Array<> y(g.n, g.c, g.pitch.y), dx(g.n * g.l, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0, {.relative = plain ? 1e-4 : 3e-7}));
        impl.backward(exec, g, dy.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.relative = 3e-7}));
        if (threads == 3) {
          EXPECT_TRUE(close(y, last));
        }
        last = y;
      }
    });
  }
  set_thread_count(before);
}

TEST(GlobalAvgPoolKernel, a_nan_reaches_its_channel_and_no_other) {
  const GlobalAvgPoolSpec g{.n = 1, .l = 40, .c = 2};
  auto x = Array<>::integers(40, 2, 0, 1);
  x.at(7, 1) = std::nanf("");
  for_each_impl(global_avg_pool_registry(), g, [&](const GlobalAvgPoolImpl& impl, const Exec& exec) {
    Array<> y(1, 2);
    impl.forward(exec, g, x.data(), y.data());
    EXPECT_TRUE(!std::isnan(y.at(0, 0)) && std::isnan(y.at(0, 1)));
  });
}

TEST(GlobalAvgPoolReference, is_its_own_derivative) {
  const GlobalAvgPoolSpec g{.n = 2, .l = 5, .c = 3};
  auto x = Array<Complex>::uniform(10, 3, 0, 1);
  const auto dy = Array<double>::integers(2, 3, 0, 2);
  Array<double> dx(10, 3);
  global_avg_pool_backward_reference(g, dy.data(), dx.data());
  EXPECT_TRUE(close(complex_step(x,
                                 [&] {
                                   Array<Complex> y(2, 3);
                                   global_avg_pool_forward_reference(g, x.data(), y.data());
                                   return weighted_sum(dy, y);
                                 }),
                    dx, {.absolute = 1e-15}));
}

}  // namespace
}  // namespace kern::kernels
