#include "kernels/loss/kl_normal.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(KlNormalKernel, complete) {
  check_op<KlNormal>({{{.rows = 5, .c = 3, .divisor = 5}},
                      {{.rows = 1, .c = 1}},
                      {{.rows = 37, .c = 5, .divisor = 37, .log_sigma = true}},
                      {{.rows = 6001, .c = 7, .divisor = 3}},
                      {{.rows = 9, .c = 4, .log_sigma = true, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}}},
                      {{.rows = 0, .c = 3}}});
}

// torch.distributions.kl_divergence(Normal(mu, exp(s / 2) or exp(s)), Normal(0, 1)).sum() / 2
TEST(KlNormalKernel, goldens) {
  const Values<> mu{0.5f, -1, 2, 0}, s{-0.5f, 0.25f, 1, 0}, dy{1};
  const float dmu0[] = {0.25f, -0.5f, 1, 0};
  for (bool log_sigma : {false, true}) {
    const KlNormalSpec g{.rows = 2, .c = 2, .divisor = 2, .log_sigma = log_sigma};
    const float loss0 = log_sigma ? 2.538914f : 1.5272094f;
    const float ds0[2][4] = {{-0.09836733f, 0.07100634f, 0.4295704f, 0}, {-0.3160603f, 0.3243607f, 3.194528f, 0}};
    for_each_impl(KlNormal::registry(), g, [&](const auto& impl, const Exec& exec) {
      Values<> loss(1), dmu(4), ds(4);
      impl.forward(exec, g, {mu.data(), s.data(), loss.data()});
      EXPECT_NEAR(loss[0], loss0, 1e-6f);
      impl.backward(exec, g, {dy.data(), mu.data(), s.data(), dmu.data(), ds.data()});
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(dmu[i], dmu0[i], 1e-6f);
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(ds[i], ds0[log_sigma][i], 1e-6f);
    });
  }
}

TEST(KlNormalKernel, is_zero_for_the_normal_itself_and_keeps_nan) {
  const Values<> zero{0}, nan{std::nanf("")};
  for_each_impl(KlNormal::registry(), KlNormalSpec{.rows = 1}, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1);
    impl.forward(exec, {.rows = 1}, {zero.data(), zero.data(), loss.data()});
    EXPECT_EQ(loss[0], 0);
    impl.forward(exec, {.rows = 1}, {zero.data(), nan.data(), loss.data()});
    EXPECT_TRUE(std::isnan(loss[0]));
    impl.forward(exec, {.rows = 1}, {nan.data(), zero.data(), loss.data()});
    EXPECT_TRUE(std::isnan(loss[0]));
  });
}

}  // namespace
}  // namespace kern::kernels
