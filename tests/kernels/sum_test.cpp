#include "kernels/reduce/sum.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SumSpec{.rows = 2, .c = 3}.x_pitch() == 3);
static_assert(SumSpec{.rows = 2, .c = 3, .pitch = {.x = 8}}.x_pitch() == 8);

TEST(SumKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  const SumSpec cases[] = {{.rows = 0, .c = 3},     {.rows = 1, .c = 1},
                           {.rows = 37, .c = 5},    {.rows = 50000, .c = 1, .scale = 0.5},
                           {.rows = 3001, .c = 19}, {.rows = 300, .c = 9, .scale = 2, .pitch = {.x = 12, .dx = 10}}};
  for (const SumSpec& g : cases) {
    const auto x = Array<>::integers(g.rows, g.c, g.pitch.x, 1);
    Array<> y0(1, 1), dx0(g.rows, g.c, g.pitch.dx);
    const Values<> dy{3};
    sum_forward_reference(g, x.data(), y0.data());
    sum_backward_reference(g, dy.data(), dx0.data());
    for_each_impl(sum_registry(), g, [&](const SumImpl& impl, const Exec& exec) {
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(1, 1), dx(g.rows, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0));
        impl.backward(exec, g, dy.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0));
      }
    });
  }
  set_thread_count(before);
}

TEST(SumKernel, is_stable_at_mean_1000_and_the_same_bits_for_any_number_of_threads) {
  const int before = thread_count();
  for (const SumSpec g : {SumSpec{.rows = 200003, .c = 1}, SumSpec{.rows = 20001, .c = 7, .pitch = {.x = 9}}}) {
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 5, 999, 1001);
    double exact = 0;
    sum_forward_reference(g, x.as<double>().data(), &exact);
    for_each_impl(sum_registry(), g, [&](const SumImpl& impl, const Exec& exec) {
      if (std::string_view(impl.name) == "reference") return;  // plain float sums
      Values<> y(2);
      for (size_t n : {0, 1}) {
        set_thread_count(n ? 3 : 1);
        impl.forward(exec, g, x.data(), y.data() + n);
        EXPECT_LE(std::abs(double(y[n]) - exact), 1e-7 * exact);
      }
      EXPECT_EQ(y[0], y[1]);
    });
  }
  set_thread_count(before);
}

TEST(SumReference, is_its_own_derivative) {
  const SumSpec g{.rows = 5, .c = 3, .scale = 0.25};
  auto x = Array<Complex>::integers(g.rows, g.c, 0, 1);
  Array<double> dx(g.rows, g.c);
  const double dy = 3;
  sum_backward_reference(g, &dy, dx.data());
  EXPECT_TRUE(close(complex_step(x,
                                 [&] {
                                   Complex y;
                                   sum_forward_reference(g, x.data(), &y);
                                   return dy * y;
                                 }),
                    dx));
}

}  // namespace
}  // namespace kern::kernels
