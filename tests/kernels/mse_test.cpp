#include "kernels/mse.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(MseSpec{.rows = 4, .c = 3, .pitch = {.x = 5, .y = 6}}.exchanged().x_pitch() == 6);

TEST(MseKernel, rows_agree_with_the_reference_in_double_and_repeat_their_bits) {
  const int before = thread_count();
  const MseSpec cases[] = {{.rows = 1, .c = 1},
                           {.rows = 37, .c = 5},
                           {.rows = 6001, .c = 7},
                           {.rows = 9, .c = 4, .pitch = {.x = 6, .y = 7, .dx = 5}}};
  for (const MseSpec& g : cases) {
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, 999, 1001),
               t = Array<>::uniform(g.rows, g.c, g.pitch.y, 2, 999, 1001);
    const auto xd = x.as<double>(), td = t.as<double>();
    Array<double> loss0(1, 1), dx0(g.rows, g.c, g.pitch.dx);
    const double dyd = 1.5;
    mse_forward_reference(g, xd.data(), td.data(), loss0.data());
    mse_backward_reference(g, &dyd, xd.data(), td.data(), dx0.data());
    for_each_row(mse_table(), g, [&](const MseRow& row, const Exec& exec) {
      const float dy = 1.5f;
      Array<> first(1, 1);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> loss(1, 1), dx(g.rows, g.c, g.pitch.dx);
        row.forward(exec, g, x.data(), t.data(), loss.data());
        // The reference in float adds one square after the other; the fast row adds in double.
        EXPECT_TRUE(close(loss, loss0, {.relative = std::string_view(row.name) == "reference" ? 1e-3 : 1e-6}));
        row.backward(exec, g, &dy, x.data(), t.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-9, .relative = 1e-5}));
        if (threads == 1) first = loss;
        EXPECT_TRUE(close(loss, first));
      }
    });
  }
  set_thread_count(before);
}

TEST(MseReference, is_its_own_derivative_in_both_inputs) {
  const MseSpec g{.rows = 5, .c = 3};
  auto x = Array<Complex>::integers(g.rows, g.c, 0, 1), t = Array<Complex>::integers(g.rows, g.c, 0, 2);
  const auto xd = Array<double>::integers(g.rows, g.c, 0, 1), td = Array<double>::integers(g.rows, g.c, 0, 2);
  Array<double> dx(g.rows, g.c), dt(g.rows, g.c);
  const double dy = 3;
  mse_backward_reference(g, &dy, xd.data(), td.data(), dx.data());
  mse_backward_reference(g.exchanged(), &dy, td.data(), xd.data(), dt.data());
  auto loss = [&] {
    Complex l;
    mse_forward_reference(g, x.data(), t.data(), &l);
    return dy * l;
  };
  EXPECT_TRUE(close(dx, complex_step(x, loss), {.absolute = 1e-14}));
  EXPECT_TRUE(close(dt, complex_step(t, loss), {.absolute = 1e-14}));
}

}  // namespace
}  // namespace kern::kernels
