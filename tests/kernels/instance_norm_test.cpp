#include "kernels/norm/instance_norm.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(InstanceNormSpec{.n = 3, .l = 5, .c = 2}.rows() == 15);
static_assert(InstanceNormSpec{.n = 3, .l = 5, .c = 2, .pitch = {.y = 4}}.norm().y_pitch == 4);

const InstanceNormSpec kInstanceNormSpecs[] = {
    {.n = 2, .l = 37, .c = 5},
    {.n = 3, .l = 2, .c = 1},
    {.n = 0, .l = 7, .c = 3},
    {.n = 2, .l = 9001, .c = 4},  // several chunks a sample
    {.n = 2, .l = 300, .c = 131},
    {.n = 1, .l = 5, .c = 16, .eps = 0.5f},
    {.n = 2, .l = 33, .c = 3, .pitch = {.x = 4, .y = 7, .dx = 5, .dy = 6}},
};

// Values round `mean`, as the double reference says.
void check_instance_norm(const InstanceNormSpec& g, bool affine, float mean_of_data, double tolerance) {
  auto x = Array<>::uniform(g.rows(), g.c, g.pitch.x, 1);
  x.for_each([&](float& v) { v += mean_of_data; });
  const auto weight = Array<>::uniform(g.c, 1, 0, 2), bias = Array<>::uniform(g.c, 1, 0, 3),
             dy = Array<>::uniform(g.rows(), g.c, g.pitch.dy, 4);
  const auto w = [&] { return affine ? weight.data() : nullptr; };
  const auto b = [&] { return affine ? bias.data() : nullptr; };
  const auto wd = weight.as<double>(), bd = bias.as<double>(), xd = x.as<double>(), dyd = dy.as<double>();
  Array<double> y0(g.rows(), g.c, g.pitch.y), mean0(g.n, g.c), inverse0(g.n, g.c), dx0(g.rows(), g.c, g.pitch.dx),
      dw0(g.c, 1), db0(g.c, 1);
  instance_norm_forward_reference(g, xd.data(), affine ? wd.data() : nullptr, affine ? bd.data() : nullptr, y0.data(),
                                  mean0.data(), inverse0.data());
  instance_norm_backward_reference(g, dyd.data(), xd.data(), affine ? wd.data() : nullptr, mean0.data(),
                                   inverse0.data(), dx0.data(), dw0.data(), db0.data());
  const Tolerance near{.absolute = tolerance, .relative = tolerance},
      sums{.absolute = tolerance * double(10 + g.rows()), .relative = tolerance};
  const int threads = thread_count();
  for_each_impl(instance_norm_registry(), g, [&](const InstanceNormImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference" && mean_of_data != 0) return;  // plain float sums
    Array<> last_y(0, 1), last_dx(0, 1), last_dw(0, 1);
    for (int n : {1, 3}) {
      set_thread_count(n);
      Array<> y(g.rows(), g.c, g.pitch.y), mean(g.n, g.c), inverse(g.n, g.c), dx(g.rows(), g.c, g.pitch.dx), dw(g.c, 1),
          db(g.c, 1);
      impl.forward(exec, g, x.data(), w(), b(), y.data(), mean.data(), inverse.data());
      EXPECT_TRUE(close(y, y0, near));
      EXPECT_TRUE(close(mean, mean0, {.absolute = 1e-6, .relative = 1e-6}));
      EXPECT_TRUE(close(inverse, inverse0, {.relative = 1e-5}));
      impl.backward(exec, g, dy.data(), x.data(), w(), mean.data(), inverse.data(), dx.data(), dw.data(), db.data());
      EXPECT_TRUE(close(dx, dx0, near));
      EXPECT_TRUE(close(dw, dw0, sums));
      EXPECT_TRUE(close(db, db0, sums));
      Array<> only_dx(g.rows(), g.c, g.pitch.dx);
      impl.backward(exec, g, dy.data(), x.data(), w(), mean.data(), inverse.data(), only_dx.data(), nullptr, nullptr);
      EXPECT_TRUE(close(only_dx, dx));
      if (n == 3) {
        EXPECT_TRUE(close(y, last_y)) << "another number of threads, other bits";
        EXPECT_TRUE(close(dx, last_dx));
        EXPECT_TRUE(close(dw, last_dw));
      }
      last_y = y, last_dx = dx, last_dw = dw;
    }
  });
  set_thread_count(threads);
}

TEST(InstanceNormKernel, rows_are_near_the_double_reference) {
  for (const InstanceNormSpec& g : kInstanceNormSpecs)
    for (bool affine : {false, true}) {
      SCOPED_TRACE(text(g.n, " x ", g.l, " x ", g.c, affine ? " affine" : ""));
      // Two positions may lie close together; their deviation then amplifies the rounding of the inputs' mean.
      check_instance_norm(g, affine, 0, g.l == 2 ? 1e-3 : 2e-5);
    }
}

TEST(InstanceNormKernel, a_mean_of_1000_costs_no_digits) {
  check_instance_norm(InstanceNormSpec{.n = 2, .l = 9001, .c = 4}, true, 1000, 2e-4);
}

TEST(InstanceNormKernel, a_constant_channel_becomes_zero) {
  const InstanceNormSpec g{.n = 1, .l = 10, .c = 2};
  Array<> x(10, 2);
  x.for_each([](float& v) { v = 0.1f; });
  for_each_impl(instance_norm_registry(), g, [&](const InstanceNormImpl& impl, const Exec& exec) {
    Array<> y(10, 2), zero(10, 2), mean(1, 2), inverse(1, 2);
    zero.for_each([](float& v) { v = 0; });
    impl.forward(exec, g, x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data());
    EXPECT_TRUE(close(y, zero, {.absolute = 1e-4}));
  });
}

TEST(InstanceNormKernel, a_nan_reaches_the_whole_channel_and_no_other) {
  const InstanceNormSpec g{.n = 1, .l = 40, .c = 2};
  auto x = Array<>::uniform(40, 2, 0, 1);
  x.at(7, 1) = std::nanf("");
  for_each_impl(instance_norm_registry(), g, [&](const InstanceNormImpl& impl, const Exec& exec) {
    Array<> y(40, 2), mean(1, 2), inverse(1, 2);
    impl.forward(exec, g, x.data(), nullptr, nullptr, y.data(), mean.data(), inverse.data());
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(!std::isnan(y.at(i, 0)) && std::isnan(y.at(i, 1)));
  });
}

TEST(InstanceNormReference, is_its_own_derivative) {
  const InstanceNormSpec g{.n = 2, .l = 5, .c = 3};
  auto x = Array<Complex>::uniform(g.rows(), g.c, 0, 1), weight = Array<Complex>::uniform(g.c, 1, 0, 2),
       bias = Array<Complex>::uniform(g.c, 1, 0, 3);
  const auto xd = Array<double>::uniform(g.rows(), g.c, 0, 1), wd = Array<double>::uniform(g.c, 1, 0, 2),
             bd = Array<double>::uniform(g.c, 1, 0, 3), dy = Array<double>::uniform(g.rows(), g.c, 0, 4);
  Array<double> y(g.rows(), g.c), mean(g.n, g.c), inverse(g.n, g.c), dx(g.rows(), g.c), dw(g.c, 1), db(g.c, 1);
  instance_norm_forward_reference(g, xd.data(), wd.data(), bd.data(), y.data(), mean.data(), inverse.data());
  instance_norm_backward_reference(g, dy.data(), xd.data(), wd.data(), mean.data(), inverse.data(), dx.data(),
                                   dw.data(), db.data());
  auto loss = [&] {
    Array<Complex> out(g.rows(), g.c), m(g.n, g.c), d(g.n, g.c);
    instance_norm_forward_reference(g, x.data(), weight.data(), bias.data(), out.data(), m.data(), d.data());
    return weighted_sum(dy, out);
  };
  EXPECT_TRUE(close(complex_step(x, loss), dx, {.absolute = 1e-12}));
  EXPECT_TRUE(close(complex_step(weight, loss), dw, {.absolute = 1e-12}));
  EXPECT_TRUE(close(complex_step(bias, loss), db, {.absolute = 1e-12}));
}

}  // namespace
}  // namespace kern::kernels
