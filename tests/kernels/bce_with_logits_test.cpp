#include "kernels/loss/bce_with_logits.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(BceSpec{.rows = 4, .c = 3, .w_pitch_given = 5}.w_pitch() == 5);

TEST(BceKernel, complete) {
  check_op<BceWithLogits>(
      {{{.rows = 8, .c = 3, .pos_weight = 2.5f, .by_weight = true}},
       {{.rows = 37, .c = 5}},
       {{.rows = 37, .c = 1, .pos_weight = 3}},
       {{.rows = 6001, .c = 7, .pos_weight = 0.5f, .by_weight = true}},
       {{.rows = 9, .c = 4, .by_weight = true, .w_pitch_given = 8, .pitch = {.x = 6, .y = 7, .dx = 5}}}},
      {.relative = 1e-4});
}

TEST(BceKernel, far_logits_neither_overflow_nor_vanish_and_nan_shows) {
  const Values<> one{1};
  for_each_impl(BceWithLogits::registry(), BceSpec{.rows = 1}, [&](const auto& impl, const Exec& exec) {
    auto loss_of = [&](float x_value, float t_value) {
      const Values<> x{x_value}, t{t_value};
      Values<> loss(1), saved(1), dx(1);
      impl.forward(exec, {.rows = 1}, {x.data(), t.data(), nullptr, loss.data(), saved.data()});
      impl.backward(exec, {.rows = 1}, {one.data(), x.data(), t.data(), nullptr, saved.data(), dx.data()});
      return std::pair(loss[0], dx[0]);
    };
    EXPECT_EQ(loss_of(1e4f, 0), std::pair(1e4f, 1.0f));
    EXPECT_EQ(loss_of(-1e4f, 1), std::pair(1e4f, -1.0f));
    EXPECT_EQ(loss_of(1e4f, 1).first, 0);
    EXPECT_NEAR(loss_of(0, 1).first, std::log(2.0f), 1e-7f);
    EXPECT_EQ(loss_of(0, 1).second, -0.5f);
    EXPECT_TRUE(std::isnan(loss_of(std::nanf(""), 1).first));
    if (std::string_view(impl.name) != "reference") {
      EXPECT_NEAR(loss_of(20, 1).first, std::exp(-20.0f), 1e-14f);
    }
  });
}

TEST(BceKernel, a_mask_keeps_broken_values_out_and_an_empty_mask_gives_zero) {
  const float nan = std::nanf("");
  const Values<> x{0, nan, 0}, t{1, nan, 0}, some{1, 0, 1}, none{0, 0, 0}, dy{1};
  const BceSpec g{.rows = 3, .by_weight = true};
  for_each_impl(BceWithLogits::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> loss(1), saved(1), dx(3);
    auto run = [&](const Values<>& w) {
      impl.forward(exec, g, {x.data(), t.data(), w.data(), loss.data(), saved.data()});
      impl.backward(exec, g, {dy.data(), x.data(), t.data(), w.data(), saved.data(), dx.data()});
    };
    run(some);
    EXPECT_NEAR(loss[0], std::log(2.0f), 1e-7f);
    EXPECT_EQ(dx[0], -0.25f);
    EXPECT_EQ(dx[1], 0);
    EXPECT_EQ(dx[2], 0.25f);
    run(none);
    EXPECT_EQ(loss[0], 0);
    for (float v : dx) EXPECT_EQ(v, 0);
  });
}

}  // namespace
}  // namespace kern::kernels
