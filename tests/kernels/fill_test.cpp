#include "kernels/elementwise/fill.h"

#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(FillKernel, writes_the_value_and_nothing_else) {
  for (const FillSpec& g :
       {FillSpec{.rows = 37, .c = 5}, FillSpec{.rows = 300, .c = 8}, FillSpec{.rows = 0, .c = 3},
        FillSpec{.rows = 9, .c = 4, .pitch = {.y = 8}}, FillSpec{.rows = 9, .c = 4, .pitch = {.y = 7}}}) {
    SCOPED_TRACE(text(g.rows, " x ", g.c, ", pitch ", g.y_pitch()));
    Array<> y0(g.rows, g.c, g.pitch.y);
    y0.for_each([](float& v) { v = -2.5f; });
    for_each_impl(fill_registry(), g, [&](const FillImpl& impl, const Exec& exec) {
      Array<> y(g.rows, g.c, g.pitch.y);
      impl.forward(exec, g, -2.5f, y.data());
      EXPECT_TRUE(close(y, y0));
    });
  }
}

}  // namespace
}  // namespace kern::kernels
