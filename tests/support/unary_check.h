// The whole test of an element-wise op (kernels/elementwise/unary.h): rows against the reference, and the complex step.
#pragma once
#include "kernels/elementwise/unary.h"
#include "tests/support/kernel_check.h"

namespace kern::testing {

template <class Op>
void check_unary(const Op& op, double low = kernels::OfPositive<Op> ? 0.1 : -3, double high = 3,
                 Tolerance tolerance = {}) {
  using kernels::UnarySpec;
  const auto& table = kernels::unary_registry<Op>();
  const UnarySpec<Op> specs[] = {{.rows = 37, .c = 5, .op = op},
                                 {.rows = 0, .c = 3, .op = op},
                                 {.rows = 6000, .c = 7, .op = op},
                                 {.rows = 9, .c = 4, .op = op, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}}};
  for (const auto& g : specs) {
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, low, high),
               dy = Array<>::integers(g.rows, g.c, g.pitch.dy, 2);
    Array<> y0(g.rows, g.c, g.pitch.y), dx0(g.rows, g.c, g.pitch.dx);
    unary_forward_reference(g, x.data(), y0.data());
    const auto& saved = Op::kSaves == kernels::Saves::input ? x : y0;
    unary_backward_reference(g, dy.data(), saved.data(), dx0.data());
    for_each_impl(table, g, [&](const auto& impl, const kernels::Exec& exec) {
      for (int pass = 0; pass < 2; ++pass) {
        Array<> y(g.rows, g.c, g.pitch.y), dx(g.rows, g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0, tolerance));
        impl.backward(exec, g, dy.data(), saved.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, tolerance));
      }
    });
  }
  const UnarySpec<Op> g{.rows = 40, .c = 3, .op = op};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 3, low, high);
  const auto dy = Array<double>::integers(g.rows, g.c, 0, 4);
  Array<double> y(g.rows, g.c), dx(g.rows, g.c);
  const auto xd = Array<double>::uniform(g.rows, g.c, 0, 3, low, high);
  unary_forward_reference(g, xd.data(), y.data());
  unary_backward_reference(g, dy.data(), (Op::kSaves == kernels::Saves::input ? xd : y).data(), dx.data());
  const auto exact = complex_step(x, [&] {
    Array<Complex> out(g.rows, g.c);
    unary_forward_reference(g, x.data(), out.data());
    return weighted_sum(dy, out);
  });
  EXPECT_TRUE(close(dx, exact, {.absolute = 1e-12, .relative = 1e-12}));
}

// y and dy/dx of fixed numbers, for comparison with another implementation.
template <class Op>
void expect_unary(const Op& op, const Values<>& x, const std::vector<float>& y0, const std::vector<float>& dx0) {
  const kernels::UnarySpec<Op> g{.rows = int64_t(x.size()), .op = op};
  for_each_impl(kernels::unary_registry<Op>(), g, [&](const auto& impl, const kernels::Exec& exec) {
    Values<> y(x.size()), dx(x.size());
    const Values<> dy(x.size(), 1.0f);
    impl.forward(exec, g, x.data(), y.data());
    impl.backward(exec, g, dy.data(), (Op::kSaves == kernels::Saves::input ? x : y).data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(y[i], y0[i], 1e-6f) << x[i];
      EXPECT_NEAR(dx[i], dx0[i], 1e-6f) << x[i];
    }
  });
}

}  // namespace kern::testing
