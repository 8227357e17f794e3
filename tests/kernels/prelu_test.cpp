#include "kernels/elementwise/prelu.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(PreluSpec{.c = 4, .slopes = 1}.slope_of(3) == 0);
static_assert(PreluSpec{.c = 4, .slopes = 4}.slope_of(3) == 3);

TEST(PreluKernel, complete) {
  check_op<Prelu>({{{.rows = 20, .c = 3}},
                   {{.rows = 20, .c = 3, .slopes = 3}},
                   {{.rows = 37, .c = 5, .slopes = 5}},
                   {{.rows = 0, .c = 3, .slopes = 3}},
                   {{.rows = 0, .c = 3}},
                   {{.rows = 9001, .c = 1}},
                   {{.rows = 9000, .c = 4, .slopes = 4}},
                   {{.rows = 300, .c = 129, .slopes = 129}},
                   {{.rows = 70, .c = 300}},
                   {{.rows = 9, .c = 4, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}}},
                   {{.rows = 150, .c = 16, .slopes = 16, .pitch = {.x = 16, .y = 32, .dx = 16, .dy = 48}}}},
                  {.exact = true});
  check_op<Prelu>({{{.rows = 20000, .c = 7, .slopes = 7}}}, {.of_largest = 1e-5});  // sums of fractions
}

TEST(PreluKernel, keeps_nan) {
  const PreluSpec g{.rows = 1, .c = 2};
  const Values<> x{std::nanf(""), 1}, slope{0.25f};
  for_each_impl(Prelu::registry(), g, [&](const auto& impl, const Exec& exec) {
    Values<> y(2);
    impl.forward(exec, g, {x.data(), slope.data(), y.data()});
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 1);
  });
}

}  // namespace
}  // namespace kern::kernels
