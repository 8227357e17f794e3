#include "kernels/elementwise/prelu.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(PreluSpec{.c = 4, .slopes = 1}.slope_of(3) == 0);
static_assert(PreluSpec{.c = 4, .slopes = 4}.slope_of(3) == 3);

const PreluSpec kPreluSpecs[] = {
    {.rows = 37, .c = 5},
    {.rows = 37, .c = 5, .slopes = 5},
    {.rows = 0, .c = 3, .slopes = 3},
    {.rows = 0, .c = 3},
    {.rows = 9001, .c = 1},
    {.rows = 9000, .c = 4, .slopes = 4},
    {.rows = 300, .c = 129, .slopes = 129},
    {.rows = 70, .c = 300},
    {.rows = 9, .c = 4, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}},
    {.rows = 150, .c = 16, .slopes = 16, .pitch = {.x = 16, .y = 32, .dx = 16, .dy = 48}},
};

TEST(PreluKernel, rows_equal_the_reference_on_any_number_of_threads) {
  const int threads = thread_count();
  for (const PreluSpec& g : kPreluSpecs) {
    SCOPED_TRACE(text(g.rows, " x ", g.c, ", slopes ", g.slopes));
    const auto x = Array<>::integers(g.rows, g.c, g.pitch.x, 1), slope = Array<>::integers(g.slopes, 1, 0, 2),
               dy = Array<>::integers(g.rows, g.c, g.pitch.dy, 3);
    Array<> y0(g.rows, g.c, g.pitch.y), dx0(g.rows, g.c, g.pitch.dx), ds0(g.slopes, 1);
    prelu_forward_reference(g, x.data(), slope.data(), y0.data());
    prelu_backward_reference(g, dy.data(), x.data(), slope.data(), dx0.data(), ds0.data());
    for_each_impl(prelu_registry(), g, [&](const PreluImpl& impl, const Exec& exec) {
      for (int n : {1, 3}) {
        set_thread_count(n);
        Array<> y(g.rows, g.c, g.pitch.y), dx(g.rows, g.c, g.pitch.dx), ds(g.slopes, 1), only_dx = dx, only_ds = ds;
        impl.forward(exec, g, x.data(), slope.data(), y.data());
        EXPECT_TRUE(close(y, y0));
        impl.backward(exec, g, dy.data(), x.data(), slope.data(), dx.data(), ds.data());
        EXPECT_TRUE(close(dx, dx0));
        EXPECT_TRUE(close(ds, ds0));
        impl.backward(exec, g, dy.data(), x.data(), slope.data(), only_dx.data(), nullptr);
        EXPECT_TRUE(close(only_dx, dx0));
        impl.backward(exec, g, dy.data(), x.data(), slope.data(), nullptr, only_ds.data());
        EXPECT_TRUE(close(only_ds, ds0));
      }
    });
  }
  set_thread_count(threads);
}

// Sums of fractions: near the double reference, and the same bits whatever the number of threads.
TEST(PreluKernel, slope_gradient_is_stable_and_deterministic) {
  const int threads = thread_count();
  const PreluSpec g{.rows = 20000, .c = 7, .slopes = 7};
  const auto x = Array<>::uniform(g.rows, g.c, 0, 1), slope = Array<>::uniform(7, 1, 0, 2),
             dy = Array<>::uniform(g.rows, g.c, 0, 3);
  Array<double> ds0(7, 1);
  prelu_backward_reference<double>(g, dy.as<double>().data(), x.as<double>().data(), slope.as<double>().data(), nullptr,
                                   ds0.data());
  for_each_impl(prelu_registry(), g, [&](const PreluImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference") return;
    Array<> first(7, 1);
    impl.backward(exec, g, dy.data(), x.data(), slope.data(), nullptr, first.data());
    EXPECT_TRUE(close(first, ds0, {.absolute = 1e-3}));
    for (int n : {1, 3}) {
      set_thread_count(n);
      Array<> again(7, 1);
      impl.backward(exec, g, dy.data(), x.data(), slope.data(), nullptr, again.data());
      EXPECT_TRUE(close(again, first));
    }
  });
  set_thread_count(threads);
}

TEST(PreluKernel, keeps_nan) {
  const PreluSpec g{.rows = 1, .c = 2};
  const Values<> x{std::nanf(""), 1}, slope{0.25f};
  for_each_impl(prelu_registry(), g, [&](const PreluImpl& impl, const Exec& exec) {
    Values<> y(2);
    impl.forward(exec, g, x.data(), slope.data(), y.data());
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 1);
  });
}

TEST(PreluReference, is_its_own_derivative) {
  for (int64_t slopes : {1, 3}) {
    const PreluSpec g{.rows = 20, .c = 3, .slopes = slopes};
    auto x = Array<Complex>::integers(g.rows, g.c, 0, 1), slope = Array<Complex>::integers(slopes, 1, 0, 2);
    const auto xd = Array<double>::integers(g.rows, g.c, 0, 1), sd = Array<double>::integers(slopes, 1, 0, 2),
               dy = Array<double>::integers(g.rows, g.c, 0, 3);
    Array<double> dx(g.rows, g.c), ds(slopes, 1);
    prelu_backward_reference(g, dy.data(), xd.data(), sd.data(), dx.data(), ds.data());
    auto loss = [&] {
      Array<Complex> y(g.rows, g.c);
      prelu_forward_reference(g, x.data(), slope.data(), y.data());
      return weighted_sum(dy, y);
    };
    EXPECT_TRUE(close(complex_step(x, loss), dx));
    EXPECT_TRUE(close(complex_step(slope, loss), ds));
  }
}

}  // namespace
}  // namespace kern::kernels
