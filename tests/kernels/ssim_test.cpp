#include "kernels/loss/ssim.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SsimSpec{.n = 2, .h = 12, .w = 13, .c = 3}.places() == 2 * 2 * 3 * 3);

TEST(SsimKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  const SsimSpec cases[] = {{.n = 1},
                            {.n = 3, .h = 14, .w = 23, .c = 2},
                            {.n = 2, .h = 17, .w = 12, .c = 3, .range = 2, .pitch = {.x = 5, .y = 4, .dx = 6}},
                            {.n = 1, .h = 90, .w = 40, .c = 1}};
  for (const SsimSpec& g : cases) {
    const int64_t pixels = g.n * g.h * g.w;
    // A bright image with little contrast: squares less squared means cancel.
    const auto x = Array<>::uniform(pixels, g.c, g.pitch.x, 1, 0.97, 1),
               y = Array<>::uniform(pixels, g.c, g.pitch.y, 2, 0.95, 1);
    const auto xd = x.as<double>(), yd = y.as<double>();
    Array<double> loss0(1, 1), dx0(pixels, g.c, g.pitch.dx);
    const double dyd = 1.5;
    ssim_forward_reference(g, xd.data(), yd.data(), loss0.data());
    ssim_backward_reference(g, &dyd, xd.data(), yd.data(), dx0.data());
    double largest = 0;
    dx0.for_each([&](double& v) { largest = std::max(largest, std::abs(v)); });
    for_each_impl(ssim_registry(), g, [&](const SsimImpl& impl, const Exec& exec) {
      const bool fast = std::string_view(impl.name) != "reference";
      const Values<> dy{1.5f};
      Array<> first_loss(1, 1), first_dx(0, 0);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), dx(pixels, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data(), loss.data());
        EXPECT_TRUE(close(loss, loss0, {.absolute = fast ? 1e-7 : 5e-3}));
        impl.backward(exec, g, dy.data(), x.data(), y.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = (fast ? 1e-6 : 1e-2) * largest}));
        if (threads == 1) first_loss = loss, first_dx = dx;
        EXPECT_TRUE(close(loss, first_loss));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
}

// By torch's autograd in double, from conv2d with the window's weights, groups = C: 1 x 12 x 13 x 2 values.
TEST(SsimKernel, golden) {
  const SsimSpec g{.n = 1, .h = 12, .w = 13, .c = 2};
  Values<> x(312), y(312);
  for (int i = 0; i < 312; ++i) x[size_t(i)] = float(i * 7 % 11) / 11, y[size_t(i)] = float(i * 5 % 13) / 13;
  const Values<> dy{1};
  for_each_impl(ssim_registry(), g, [&](const SsimImpl& impl, const Exec& exec) {
    Values<> loss(1), dx(312), d_of_y(312);
    impl.forward(exec, g, x.data(), y.data(), loss.data());
    EXPECT_NEAR(loss[0], 0.97400123f, 1e-6f);
    impl.backward(exec, g, dy.data(), x.data(), y.data(), dx.data());
    impl.backward(exec, g.exchanged(), dy.data(), y.data(), x.data(), d_of_y.data());
    EXPECT_NEAR(dx[100], 2.9033773e-05f, 1e-7f);
    EXPECT_NEAR(dx[155], -8.3399915e-05f, 1e-7f);
    EXPECT_NEAR(dx[200], -0.021713344f, 1e-6f);
    EXPECT_NEAR(d_of_y[100], -0.00022192395f, 1e-7f);
    EXPECT_NEAR(d_of_y[200], 0.0088766626f, 1e-6f);
  });
}

TEST(SsimKernel, equal_images_lose_nothing_and_nan_shows) {
  const SsimSpec g{.n = 1, .h = 12, .w = 12, .c = 1};
  auto x = Array<>::uniform(144, 1, 0, 1, 0, 1);
  for_each_impl(ssim_registry(), g, [&](const SsimImpl& impl, const Exec& exec) {
    Values<> loss(1);
    impl.forward(exec, g, x.data(), x.data(), loss.data());
    EXPECT_NEAR(loss[0], 0, 1e-6f);
    auto broken = x;
    broken.at(143, 0) = std::nanf("");
    impl.forward(exec, g, broken.data(), x.data(), loss.data());
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

TEST(SsimReference, is_its_own_derivative_in_both_images) {
  const SsimSpec g{.n = 1, .h = 12, .w = 11, .c = 2};
  const int64_t pixels = g.h * g.w;
  auto x = Array<Complex>::uniform(pixels, g.c, 0, 1, 0, 1), y = Array<Complex>::uniform(pixels, g.c, 0, 2, 0, 1);
  const auto xd = Array<double>::uniform(pixels, g.c, 0, 1, 0, 1), yd = Array<double>::uniform(pixels, g.c, 0, 2, 0, 1);
  Array<double> dx(pixels, g.c), d_of_y(pixels, g.c);
  const double dy = 3;
  ssim_backward_reference(g, &dy, xd.data(), yd.data(), dx.data());
  ssim_backward_reference(g.exchanged(), &dy, yd.data(), xd.data(), d_of_y.data());
  auto loss = [&] {
    Complex l;
    ssim_forward_reference(g, x.data(), y.data(), &l);
    return dy * l;
  };
  EXPECT_TRUE(close(dx, complex_step(x, loss), {.absolute = 1e-13}));
  EXPECT_TRUE(close(d_of_y, complex_step(y, loss), {.absolute = 1e-13}));
}

}  // namespace
}  // namespace kern::kernels
