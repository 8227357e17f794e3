// What every loss that compares value by value (kernels/loss/pair_loss.h) must hold beyond tests/support/op_check.h.
#pragma once
#include "kernels/loss/pair_loss.h"
#include "tests/support/op_check.h"

namespace kern::testing {

template <class Op>
void check_pair_loss(const Op& op) {
  using Loss = kernels::PairLoss<Op>;
  using Spec = typename Loss::Spec;
  check_op<Loss>({{{.rows = 1, .c = 1, .op = op}},
                  {{.rows = 5, .c = 3, .op = op}, {{"x", {-2, 2}}, {"t", {-2, 2}}}},
                  {{.rows = 37, .c = 5, .op = op}},
                  {{.rows = 6001, .c = 7, .op = op}},
                  {{.rows = 9, .c = 4, .op = op, .pitch = {.x = 6, .y = 7, .dx = 5}}}});

  // NaN shows, in the loss and in its own gradient only.
  const Spec two{.rows = 2, .op = op};
  const Values<> broken{1, std::nanf("")}, t{0.5f, 0.5f}, dy{1};
  for_each_impl(Loss::registry(), two, [&](const auto& impl, const kernels::Exec& exec) {
    Values<> loss(1), dx(2);
    impl.forward(exec, two, {broken.data(), t.data(), loss.data()});
    EXPECT_TRUE(std::isnan(loss[0]));
    impl.backward(exec, two, {dy.data(), broken.data(), t.data(), dx.data()});
    EXPECT_TRUE(std::isfinite(dx[0]) && std::isnan(dx[1]));
  });

  // Exchanged, backward gives dt.
  const Spec g{.rows = 5, .c = 3, .op = op};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1, -2, 2), td = Array<Complex>::uniform(g.rows, g.c, 0, 2, -2, 2);
  const auto x0 = Array<double>::uniform(g.rows, g.c, 0, 1, -2, 2),
             t0 = Array<double>::uniform(g.rows, g.c, 0, 2, -2, 2);
  Array<double> dt(g.rows, g.c);
  const double three = 3;
  Loss::reference(g.exchanged(), typename Loss::template Backward<double>{&three, t0.data(), x0.data(), dt.data()});
  const auto exact = complex_step(td, [&] {
    Complex l;
    Loss::reference(g, typename Loss::template Forward<Complex>{x.data(), td.data(), &l});
    return three * l;
  });
  EXPECT_TRUE(close(dt, exact, {.absolute = 1e-14}));
}

// L and dx of fixed numbers, for comparison with another implementation.
template <class Op>
void expect_pair_loss(const Op& op, const Values<>& x, const Values<>& t, float loss, const std::vector<float>& dx) {
  using Loss = kernels::PairLoss<Op>;
  const typename Loss::Spec g{.rows = int64_t(x.size()), .op = op};
  for_each_impl(Loss::registry(), g, [&](const auto& impl, const kernels::Exec& exec) {
    Values<> l(1), d(x.size());
    const Values<> dy{1};
    impl.forward(exec, g, {x.data(), t.data(), l.data()});
    EXPECT_NEAR(l[0], loss, 1e-6f);
    impl.backward(exec, g, {dy.data(), x.data(), t.data(), d.data()});
    for (size_t i = 0; i < d.size(); ++i) EXPECT_NEAR(d[i], dx[i], 1e-6f) << i;
  });
}

}  // namespace kern::testing
