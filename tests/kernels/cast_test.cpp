#include "kernels/elementwise/cast.h"

#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

TEST(CastKernel, rows_round_as_the_type_does_and_widen_exactly) {
  for (const CastSpec& g : {CastSpec{.rows = 37, .c = 5}, CastSpec{.rows = 3000, .c = 64}, CastSpec{.rows = 0, .c = 3},
                            CastSpec{.rows = 9, .c = 4, .pitch = {.x = 8, .y = 12}},
                            CastSpec{.rows = 9, .c = 4, .pitch = {.x = 7, .y = 5}}}) {
    SCOPED_TRACE(text(g.rows, " x ", g.c, ", pitches ", g.x_pitch(), " and ", g.y_pitch()));
    const auto x = Array<>::uniform(g.rows, g.c, g.pitch.x, 1, -3, 3);
    const auto kept = Array<Bf16>::uniform(g.rows, g.c, g.pitch.x, 2, -3, 3);
    for_each_impl(cast_registry(), g, [&](const CastImpl& impl, const Exec& exec) {
      Array<Bf16> narrow(g.rows, g.c, g.pitch.y);
      impl.narrow(exec, g, x.data(), narrow.data());
      EXPECT_TRUE(close(narrow, x.as<Bf16>()));
      Array<> wide(g.rows, g.c, g.pitch.y);
      impl.widen(exec, g, kept.data(), wide.data());
      EXPECT_TRUE(close(wide, kept.as<float>()));
    });
  }
}

}  // namespace
}  // namespace kern::kernels
