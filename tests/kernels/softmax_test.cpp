// softmax and log_softmax: the same arguments, so one set of tests.
#include "kernels/softmax/softmax.h"

#include <functional>

#include "kernels/common/parallel.h"
#include "kernels/softmax/log_softmax.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SoftmaxSpec{.c = 5}.x_pitch() == 5 && SoftmaxSpec{.c = 5, .pitch = {.dy = 8}}.dy_pitch() == 8);

struct Op {
  const char* name;
  const Registry<SoftmaxImpl>& (*table)();
  void (*forward)(const SoftmaxSpec&, const double*, double*);
  void (*backward)(const SoftmaxSpec&, const double*, const double*, double*);
  void (*complex_forward)(const SoftmaxSpec&, const Complex*, Complex*);
};
void PrintTo(const Op& c, std::ostream* out) { *out << c.name; }
const Op kOps[] = {
    {"softmax", softmax_registry, softmax_forward_reference<double>, softmax_backward_reference<double>,
     softmax_forward_reference<Complex>},
    {"log_softmax", log_softmax_registry, log_softmax_forward_reference<double>, log_softmax_backward_reference<double>,
     log_softmax_forward_reference<Complex>},
};
class SoftmaxKernels : public ::testing::TestWithParam<Op> {};

TEST_P(SoftmaxKernels, rows_are_near_the_double_reference_and_deterministic) {
  const Op& op = GetParam();
  const SoftmaxSpec specs[] = {{.rows = 37, .c = 5},
                               {.rows = 5, .c = 1},
                               {.rows = 0, .c = 3},
                               {.rows = 9001, .c = 5},
                               {.rows = 3, .c = 1500},
                               {.rows = 7, .c = 35},
                               {.rows = 9, .c = 4, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}}};
  const int threads = thread_count();
  for (const SoftmaxSpec& g : specs)
    for (float offset : {0.0f, 1000.0f}) {
      SCOPED_TRACE(text(g.rows, " x ", g.c, " + ", offset));
      auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, -8, 8);
      x.for_each([&](float& v) { v += offset; });
      const auto dy = Array<>::uniform(g.rows, g.c, g.pitch.dy, 2);
      Array<double> y0(g.rows, g.c, g.pitch.y), dx0(g.rows, g.c, g.pitch.dx);
      op.forward(g, x.as<double>().data(), y0.data());
      op.backward(g, dy.as<double>().data(), y0.data(), dx0.data());
      for_each_impl(op.table(), g, [&](const SoftmaxImpl& impl, const Exec& exec) {
        Array<> last_y(0, 1), last_dx(0, 1);
        for (int n : {1, 3}) {
          set_thread_count(n);
          Array<> y(g.rows, g.c, g.pitch.y), dx(g.rows, g.c, g.pitch.dx);
          impl.forward(exec, g, x.data(), y.data());
          EXPECT_TRUE(close(y, y0, {.absolute = 1e-6, .relative = 2e-6}));
          impl.backward(exec, g, dy.data(), y.data(), dx.data());
          EXPECT_TRUE(close(dx, dx0, {.absolute = 1e-5, .relative = 1e-5}));
          if (n == 3) {
            EXPECT_TRUE(close(y, last_y));
            EXPECT_TRUE(close(dx, last_dx));
          }
          last_y = y, last_dx = dx;
        }
      });
    }
  set_thread_count(threads);
}

// A far channel has probability 0 and no NaN; a NaN spoils its row and no other.
TEST_P(SoftmaxKernels, extremes) {
  const SoftmaxSpec g{.rows = 3, .c = 2};
  const float infinity = std::numeric_limits<float>::infinity();
  const Values<> x{1e30f, -1e30f, -infinity, 3, std::nanf(""), 1};
  for_each_impl(GetParam().table(), g, [&](const SoftmaxImpl& impl, const Exec& exec) {
    Values<> y(6);
    impl.forward(exec, g, x.data(), y.data());
    const bool log = std::string_view(GetParam().name) == "log_softmax";
    EXPECT_EQ(y[0], log ? 0 : 1);
    EXPECT_EQ(y[1], log ? -2e30f : 0);
    EXPECT_EQ(y[2], log ? -infinity : 0);
    EXPECT_EQ(y[3], log ? 0 : 1);
    EXPECT_TRUE(std::isnan(y[4]) && std::isnan(y[5]));
  });
}

TEST_P(SoftmaxKernels, reference_is_its_own_derivative) {
  const Op& op = GetParam();
  const SoftmaxSpec g{.rows = 6, .c = 4};
  auto x = Array<Complex>::uniform(g.rows, g.c, 0, 1, -3, 3);
  const auto xd = Array<double>::uniform(g.rows, g.c, 0, 1, -3, 3), dy = Array<double>::uniform(g.rows, g.c, 0, 2);
  Array<double> y(g.rows, g.c), dx(g.rows, g.c);
  op.forward(g, xd.data(), y.data());
  op.backward(g, dy.data(), y.data(), dx.data());
  const auto exact = complex_step(x, [&] {
    Array<Complex> out(g.rows, g.c);
    op.complex_forward(g, x.data(), out.data());
    return weighted_sum(dy, out);
  });
  EXPECT_TRUE(close(dx, exact, {.absolute = 1e-13}));
}

INSTANTIATE_TEST_SUITE_P(Ops, SoftmaxKernels, ::testing::ValuesIn(kOps), [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace kern::kernels
