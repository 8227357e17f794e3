#include "kernels/loss/ssim.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SsimSpec{.n = 2, .h = 12, .w = 13, .c = 3}.places() == 2 * 2 * 3 * 3);

TEST(SsimKernel, complete) {
  const std::map<std::string, std::pair<double, double>> any{{"x", {0, 1}}, {"y", {0, 1}}};
  check_op<Ssim>({{{.n = 1, .h = 12, .w = 11, .c = 1}, any},
                  {{.n = 1}},
                  {{.n = 3, .h = 14, .w = 23, .c = 2}},
                  {{.n = 2, .h = 17, .w = 12, .c = 3, .range = 2, .pitch = {.x = 5, .y = 4, .dx = 6}}},
                  {{.n = 1, .h = 90, .w = 40, .c = 1}}},
                 {.reference = 1e-2});
}

// By torch's autograd in double, from conv2d with the window's weights, groups = C: 1 x 12 x 13 x 2 values.
TEST(SsimKernel, golden) {
  const SsimSpec g{.n = 1, .h = 12, .w = 13, .c = 2};
  Values<> x(312), y(312);
  for (int i = 0; i < 312; ++i) x[size_t(i)] = float(i * 7 % 11) / 11, y[size_t(i)] = float(i * 5 % 13) / 13;
  const Values<> dy{1};
  for_each_impl(Ssim::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1), dx(312), d_of_y(312);
    impl.forward(exec, g, {x.data(), y.data(), loss.data()});
    EXPECT_NEAR(loss[0], 0.97400123f, 1e-6f);
    impl.backward(exec, g, {dy.data(), x.data(), y.data(), dx.data()});
    impl.backward(exec, g.exchanged(), {dy.data(), y.data(), x.data(), d_of_y.data()});
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
  for_each_impl(Ssim::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1);
    impl.forward(exec, g, {x.data(), x.data(), loss.data()});
    EXPECT_NEAR(loss[0], 0, 1e-6f);
    auto broken = x;
    broken.at(143, 0) = std::nanf("");
    impl.forward(exec, g, {broken.data(), x.data(), loss.data()});
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

TEST(SsimReference, gives_the_second_image_its_gradient_when_they_are_exchanged) {
  const SsimSpec g{.n = 1, .h = 12, .w = 11, .c = 2};
  auto x = Array<Complex>::uniform(g.pixels(), g.c, 0, 1, 0, 1),
       y = Array<Complex>::uniform(g.pixels(), g.c, 0, 2, 0, 1);
  const auto xd = Array<double>::uniform(g.pixels(), g.c, 0, 1, 0, 1),
             yd = Array<double>::uniform(g.pixels(), g.c, 0, 2, 0, 1);
  Array<double> d_of_y(g.pixels(), g.c);
  const double dy = 3;
  Ssim::reference(g.exchanged(), Ssim::Backward<double>{&dy, yd.data(), xd.data(), d_of_y.data()});
  const auto exact = complex_step(y, [&] {
    Complex l;
    Ssim::reference(g, Ssim::Forward<Complex>{x.data(), y.data(), &l});
    return dy * l;
  });
  EXPECT_TRUE(close(d_of_y, exact, {.absolute = 1e-13}));
}

}  // namespace
}  // namespace kern::kernels
