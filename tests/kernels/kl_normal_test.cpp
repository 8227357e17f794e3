#include "kernels/loss/kl_normal.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(KlNormalKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  const KlNormalSpec cases[] = {{.rows = 1, .c = 1},
                                {.rows = 37, .c = 5, .divisor = 37, .log_sigma = true},
                                {.rows = 6001, .c = 7, .divisor = 3},
                                {.rows = 9, .c = 4, .log_sigma = true, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}},
                                {.rows = 0, .c = 3}};
  for (const KlNormalSpec& g : cases) {
    const auto mu = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, -2, 2),
               s = Array<>::uniform(g.rows, g.c, g.pitch.y, 2, -4, 2);
    const auto mud = mu.as<double>(), sd = s.as<double>();
    Array<double> loss0(1, 1), dmu0(g.rows, g.c, g.pitch.dx), ds0(g.rows, g.c, g.pitch.dy);
    const double dyd = 1.5;
    kl_normal_forward_reference(g, mud.data(), sd.data(), loss0.data());
    kl_normal_backward_reference(g, &dyd, mud.data(), sd.data(), dmu0.data(), ds0.data());
    for_each_impl(kl_normal_registry(), g, [&](const KlNormalImpl& impl, const Exec& exec) {
      const Values<> dy{1.5f};
      Array<> first(1, 1);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), dmu(g.rows, g.c, g.pitch.dx), ds(g.rows, g.c, g.pitch.dy);
        impl.forward(exec, g, mu.data(), s.data(), loss.data());
        EXPECT_TRUE(close(loss, loss0, {.relative = std::string_view(impl.name) == "reference" ? 1e-3 : 1e-6}));
        impl.backward(exec, g, dy.data(), mu.data(), s.data(), dmu.data(), nullptr);
        impl.backward(exec, g, dy.data(), mu.data(), s.data(), nullptr, ds.data());
        EXPECT_TRUE(close(dmu, dmu0, {.relative = 1e-6}));
        EXPECT_TRUE(close(ds, ds0, {.absolute = 1e-6 / double(g.divisor), .relative = 2e-6}));
        if (threads == 1) first = loss;
        EXPECT_TRUE(close(loss, first));
      }
    });
  }
  set_thread_count(before);
}

// torch.distributions.kl_divergence(Normal(mu, exp(s / 2) or exp(s)), Normal(0, 1)).sum() / 2
TEST(KlNormalKernel, goldens) {
  const Values<> mu{0.5f, -1, 2, 0}, s{-0.5f, 0.25f, 1, 0}, dy{1};
  const float dmu0[] = {0.25f, -0.5f, 1, 0};
  for (bool log_sigma : {false, true}) {
    const KlNormalSpec g{.rows = 2, .c = 2, .divisor = 2, .log_sigma = log_sigma};
    const float loss0 = log_sigma ? 2.538914f : 1.5272094f;
    const float ds0[2][4] = {{-0.09836733f, 0.07100634f, 0.4295704f, 0}, {-0.3160603f, 0.3243607f, 3.194528f, 0}};
    for_each_impl(kl_normal_registry(), g, [&](const KlNormalImpl& impl, const Exec& exec) {
      Values<> loss(1), dmu(4), ds(4);
      impl.forward(exec, g, mu.data(), s.data(), loss.data());
      EXPECT_NEAR(loss[0], loss0, 1e-6f);
      impl.backward(exec, g, dy.data(), mu.data(), s.data(), dmu.data(), ds.data());
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(dmu[i], dmu0[i], 1e-6f);
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(ds[i], ds0[log_sigma][i], 1e-6f);
    });
  }
}

TEST(KlNormalKernel, is_zero_for_the_normal_itself_and_keeps_nan) {
  const Values<> zero{0}, nan{std::nanf("")};
  for_each_impl(kl_normal_registry(), KlNormalSpec{.rows = 1}, [&](const KlNormalImpl& impl, const Exec& exec) {
    Values<> loss(1);
    impl.forward(exec, {.rows = 1}, zero.data(), zero.data(), loss.data());
    EXPECT_EQ(loss[0], 0);
    impl.forward(exec, {.rows = 1}, zero.data(), nan.data(), loss.data());
    EXPECT_TRUE(std::isnan(loss[0]));
    impl.forward(exec, {.rows = 1}, nan.data(), zero.data(), loss.data());
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

TEST(KlNormalReference, is_its_own_derivative) {
  for (bool log_sigma : {false, true}) {
    const KlNormalSpec g{.rows = 5, .c = 3, .divisor = 5, .log_sigma = log_sigma};
    auto mu = Array<Complex>::uniform(g.rows, g.c, 0, 1), s = Array<Complex>::uniform(g.rows, g.c, 0, 2);
    const auto mud = Array<double>::uniform(g.rows, g.c, 0, 1), sd = Array<double>::uniform(g.rows, g.c, 0, 2);
    Array<double> dmu(g.rows, g.c), ds(g.rows, g.c);
    const double dy = 3;
    kl_normal_backward_reference(g, &dy, mud.data(), sd.data(), dmu.data(), ds.data());
    auto loss = [&] {
      Complex l;
      kl_normal_forward_reference(g, mu.data(), s.data(), &l);
      return dy * l;
    };
    EXPECT_TRUE(close(dmu, complex_step(mu, loss), {.absolute = 1e-14}));
    EXPECT_TRUE(close(ds, complex_step(s, loss), {.absolute = 1e-14}));
  }
}

}  // namespace
}  // namespace kern::kernels
