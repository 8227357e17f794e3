#include "kernels/optim/ema_update.h"

#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(EmaUpdateSpec{.n = 3, .decay = 0.5} != EmaUpdateSpec{.n = 3});

TEST(EmaUpdateKernel, rows_equal_the_reference) {
  for (const EmaUpdateSpec g : {EmaUpdateSpec{.n = 0, .decay = 0.5}, EmaUpdateSpec{.n = 37, .decay = 0.75},
                                EmaUpdateSpec{.n = 20001, .decay = 0.5}, EmaUpdateSpec{.n = 5}}) {
    const auto x = Array<>::integers(g.n, 1, 0, 1), before = Array<>::integers(g.n, 1, 0, 2);
    auto p0 = before;
    ema_update_reference(g, x.data(), p0.data());
    for_each_impl(ema_update_registry(), g, [&](const EmaUpdateImpl& impl, const Exec& exec) {
      auto p = before;
      impl.step(exec, g, x.data(), p.data());
      EXPECT_TRUE(close(p, p0));
      if (g.decay == 0) {
        EXPECT_TRUE(close(p, x));
      }
    });
  }
}

}  // namespace
}  // namespace kern::kernels
