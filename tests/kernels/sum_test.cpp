#include "kernels/reduce/sum.h"

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SumSpec{.rows = 2, .c = 3}.x_pitch() == 3);
static_assert(SumSpec{.rows = 2, .c = 3, .pitch = {.x = 8}}.x_pitch() == 8);

TEST(SumKernel, complete) {
  check_op<Sum>({{{.rows = 0, .c = 3}},
                 {{.rows = 1, .c = 1}},
                 {{.rows = 37, .c = 5, .scale = 0.25}},
                 {{.rows = 50000, .c = 1, .scale = 0.5}},
                 {{.rows = 3001, .c = 19}},
                 {{.rows = 300, .c = 9, .scale = 2, .pitch = {.x = 12, .dx = 10}}}},
                {.exact = true});
  check_op<Sum>({{{.rows = 200003, .c = 1}, {{"x", {999, 1001}}}},
                 {{.rows = 20001, .c = 7, .pitch = {.x = 9}}, {{"x", {999, 1001}}}}},
                {.of_largest = 1e-7, .relative = 0, .reference = 0.1});
}

}  // namespace
}  // namespace kern::kernels
