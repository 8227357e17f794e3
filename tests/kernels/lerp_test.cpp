#include "kernels/lerp.h"

#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(LerpSpec{.n = 3, .decay = 0.5} != LerpSpec{.n = 3});

TEST(LerpKernel, rows_equal_the_reference) {
  for (const LerpSpec g : {LerpSpec{.n = 0, .decay = 0.5}, LerpSpec{.n = 37, .decay = 0.75},
                           LerpSpec{.n = 20001, .decay = 0.5}, LerpSpec{.n = 5}}) {
    const auto x = Array<>::integers(g.n, 1, 0, 1), before = Array<>::integers(g.n, 1, 0, 2);
    auto p0 = before;
    lerp_reference(g, x.data(), p0.data());
    for_each_row(lerp_table(), g, [&](const LerpRow& row, const Exec& exec) {
      auto p = before;
      row.step(exec, g, x.data(), p.data());
      EXPECT_TRUE(close(p, p0));
      if (g.decay == 0) {
        EXPECT_TRUE(close(p, x));
      }
    });
  }
}

}  // namespace
}  // namespace kern::kernels
