// The whole test of a loss that compares value by value (kernels/loss/pair_loss.h): rows against the reference in
// double, bits that any number of threads repeats, and the complex step.
#pragma once
#include "kernels/common/parallel.h"
#include "kernels/loss/pair_loss.h"
#include "tests/support/kernel_check.h"

namespace kern::testing {

template <class Op>
void check_pair_loss(const kernels::Registry<kernels::PairLossImpl<Op>>& table, const Op& op) {
  using Spec = kernels::PairLossSpec<Op>;
  const int before = thread_count();
  const Spec cases[] = {{.rows = 1, .c = 1, .op = op},
                        {.rows = 37, .c = 5, .op = op},
                        {.rows = 6001, .c = 7, .op = op},
                        {.rows = 9, .c = 4, .op = op, .pitch = {.x = 6, .y = 7, .dx = 5}}};
  for (const Spec& g : cases) {
    // Far from 0 beside their differences: nothing may square or add in single precision.
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, 999, 1001),
               t = Array<>::uniform(g.rows, g.c, g.pitch.y, 2, 999, 1001);
    const auto xd = x.template as<double>(), td = t.template as<double>();
    Array<double> loss0(1, 1), dx0(g.rows, g.c, g.pitch.dx);
    const double dyd = 1.5;
    pair_loss_forward_reference(g, xd.data(), td.data(), loss0.data());
    pair_loss_backward_reference(g, &dyd, xd.data(), td.data(), dx0.data());
    for_each_impl(table, g, [&](const auto& impl, const kernels::Exec& exec) {
      const Values<> dy{1.5f};
      Array<> first(1, 1);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), dx(g.rows, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), t.data(), loss.data());
        // The reference in float adds one value after the other; the fast implementations add in double.
        EXPECT_TRUE(close(loss, loss0, {.relative = std::string_view(impl.name) == "reference" ? 1e-3 : 1e-6}));
        impl.backward(exec, g, dy.data(), x.data(), t.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-9, .relative = 1e-5}));
        if (threads == 1) first = loss;
        EXPECT_TRUE(close(loss, first));
      }
      Array<> loss(1, 1);
      auto broken = x;
      broken.at(g.rows - 1, 0) = std::nanf("");
      impl.forward(exec, g, broken.data(), t.data(), loss.data());
      EXPECT_TRUE(std::isnan(loss.at(0, 0)));
      Values<> dx(1);
      impl.backward(exec, {.rows = 1, .op = op}, loss.data(), broken.data() + (g.rows - 1) * broken.pitch(), t.data(),
                    dx.data());
      EXPECT_TRUE(std::isnan(dx[0]));
    });
  }
  set_thread_count(before);

  const Spec g{.rows = 5, .c = 3, .op = op};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1, -2, 2), t = Array<Complex>::uniform(g.rows, g.c, 0, 2, -2, 2);
  const auto xd = Array<double>::uniform(g.rows, g.c, 0, 1, -2, 2),
             td = Array<double>::uniform(g.rows, g.c, 0, 2, -2, 2);
  Array<double> dx(g.rows, g.c), dt(g.rows, g.c);
  const double dy = 3;
  pair_loss_backward_reference(g, &dy, xd.data(), td.data(), dx.data());
  pair_loss_backward_reference(g.exchanged(), &dy, td.data(), xd.data(), dt.data());
  auto loss = [&] {
    Complex l;
    pair_loss_forward_reference(g, x.data(), t.data(), &l);
    return dy * l;
  };
  EXPECT_TRUE(close(dx, complex_step(x, loss), {.absolute = 1e-14}));
  EXPECT_TRUE(close(dt, complex_step(t, loss), {.absolute = 1e-14}));
}

// L and dx of fixed numbers, for comparison with another implementation.
template <class Op>
void expect_pair_loss(const kernels::Registry<kernels::PairLossImpl<Op>>& table, const Op& op, const Values<>& x,
                      const Values<>& t, float loss, const std::vector<float>& dx) {
  const kernels::PairLossSpec<Op> g{.rows = int64_t(x.size()), .op = op};
  for_each_impl(table, g, [&](const auto& impl, const kernels::Exec& exec) {
    Values<> l(1), d(x.size());
    const Values<> dy{1};
    impl.forward(exec, g, x.data(), t.data(), l.data());
    EXPECT_NEAR(l[0], loss, 1e-6f);
    impl.backward(exec, g, dy.data(), x.data(), t.data(), d.data());
    for (size_t i = 0; i < d.size(); ++i) EXPECT_NEAR(d[i], dx[i], 1e-6f) << i;
  });
}

}  // namespace kern::testing
