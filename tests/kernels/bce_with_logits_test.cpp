#include "kernels/loss/bce_with_logits.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(BceSpec{.rows = 4, .c = 3, .w_pitch_given = 5}.w_pitch() == 5);

struct BceWithLogitsCase {
  BceSpec g;
  bool weighted = false;
};
const BceWithLogitsCase kBceWithLogitsCases[] = {
    {{.rows = 37, .c = 5}},
    {{.rows = 37, .c = 1, .pos_weight = 3}, true},
    {{.rows = 6001, .c = 7, .pos_weight = 0.5f, .by_weight = true}, true},
    {{.rows = 9, .c = 4, .by_weight = true, .w_pitch_given = 8, .pitch = {.x = 6, .y = 7, .dx = 5}}, true}};

// Weights 0, 1 or 2: some values take no part.
Array<> weights_of(const BceSpec& g) {
  auto w = Array<>::integers(g.rows, g.c, g.w_pitch_given, 3, 1);
  w.for_each([](float& v) { v += 1; });
  return w;
}

TEST(BceKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  for (const auto& [spec, has_weights] : kBceWithLogitsCases) {
    const BceSpec& g = spec;
    const bool weighted = has_weights;
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, -6, 6),
               t = Array<>::uniform(g.rows, g.c, g.pitch.y, 2, 0, 1), w = weights_of(g);
    const auto xd = x.as<double>(), td = t.as<double>(), wd = w.as<double>();
    Array<double> loss0(1, 1), saved0(1, 1), dx0(g.rows, g.c, g.pitch.dx);
    const double dyd = 1.5;
    bce_forward_reference(g, xd.data(), td.data(), weighted ? wd.data() : nullptr, loss0.data(), saved0.data());
    bce_backward_reference(g, &dyd, xd.data(), td.data(), weighted ? wd.data() : nullptr, saved0.data(), dx0.data());
    for_each_impl(bce_with_logits_registry(), g, [&](const BceImpl& impl, const Exec& exec) {
      const Values<> dy{1.5f};
      const float* weight = weighted ? w.data() : nullptr;
      Array<> first_loss(1, 1), first_dx(0, 0);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), saved(1, 1), dx(g.rows, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), t.data(), weight, loss.data(), saved.data());
        EXPECT_TRUE(close(loss, loss0, {.relative = std::string_view(impl.name) == "reference" ? 1e-3 : 1e-6}));
        EXPECT_TRUE(close(saved, saved0));
        impl.backward(exec, g, dy.data(), x.data(), t.data(), weight, saved.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-6 / double(g.size()), .relative = 1e-4}));
        if (threads == 1) first_loss = loss, first_dx = dx;
        EXPECT_TRUE(close(loss, first_loss));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
}

TEST(BceKernel, far_logits_neither_overflow_nor_vanish_and_nan_shows) {
  const Values<> one{1};
  for_each_impl(bce_with_logits_registry(), BceSpec{.rows = 1}, [&](const BceImpl& impl, const Exec& exec) {
    auto loss_of = [&](float x_value, float t_value) {
      const Values<> x{x_value}, t{t_value};
      Values<> loss(1), saved(1), dx(1);
      impl.forward(exec, {.rows = 1}, x.data(), t.data(), nullptr, loss.data(), saved.data());
      impl.backward(exec, {.rows = 1}, one.data(), x.data(), t.data(), nullptr, saved.data(), dx.data());
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
  for_each_impl(bce_with_logits_registry(), g, [&](const BceImpl& impl, const Exec& exec) {
    Values<> loss(1), saved(1), dx(3);
    auto run = [&](const Values<>& w) {
      impl.forward(exec, g, x.data(), t.data(), w.data(), loss.data(), saved.data());
      impl.backward(exec, g, dy.data(), x.data(), t.data(), w.data(), saved.data(), dx.data());
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

TEST(BceReference, is_its_own_derivative) {
  const BceSpec g{.rows = 8, .c = 3, .pos_weight = 2.5f, .by_weight = true};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1, -3, 3);
  const auto xd = Array<double>::uniform(g.rows, g.c, 0, 1, -3, 3),
             td = Array<double>::uniform(g.rows, g.c, 0, 2, 0, 1);
  const auto wd = weights_of(g).as<double>();
  const auto t = td.as<Complex>(), w = wd.as<Complex>();
  Array<double> loss(1, 1), saved(1, 1), dx(g.rows, g.c);
  const double dy = 1.5;
  bce_forward_reference(g, xd.data(), td.data(), wd.data(), loss.data(), saved.data());
  bce_backward_reference(g, &dy, xd.data(), td.data(), wd.data(), saved.data(), dx.data());
  const auto exact = complex_step(x, [&] {
    Complex l, s;
    bce_forward_reference(g, x.data(), t.data(), w.data(), &l, &s);
    return dy * l;
  });
  EXPECT_TRUE(close(dx, exact, {.absolute = 1e-14, .relative = 1e-12}));
}

}  // namespace
}  // namespace kern::kernels
