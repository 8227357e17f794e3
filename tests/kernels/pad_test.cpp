#include "kernels/shape/pad.h"

#include <algorithm>
#include <iterator>

#include "tests/support/op_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(PadSpec{.h = 4, .w = 5, .top = 1, .left = -2, .right = 1}.p() == 5);
static_assert(PadSpec{.h = 4, .w = 5, .top = 1, .left = -2, .right = 1}.q() == 4);
static_assert(PadSpec{.h = 4, .w = 5, .top = 1, .left = -2}.inverse().inverse() ==
              PadSpec{.h = 4, .w = 5, .top = 1, .left = -2});

const PadSpec kPadCases[] = {
    {.n = 2, .h = 4, .w = 5, .c = 3, .top = 1, .bottom = 2, .left = 3, .right = 1},
    {.n = 2, .h = 6, .w = 5, .c = 3, .top = -1, .bottom = -2, .left = -2, .right = -1},
    {.n = 2, .h = 6, .w = 5, .c = 1, .top = -1, .bottom = 2, .left = 2, .right = -3},
    {.n = 1, .h = 2, .w = 3, .c = 2, .top = 3, .bottom = -4, .left = -4, .right = 9},  // nothing of x is left
    {.n = 1, .h = 2, .w = 3, .c = 2, .left = 4, .right = -5},
    {.n = 2, .w = 37, .c = 4, .left = 5, .right = 6},
    {.n = 0, .h = 3, .w = 3, .c = 2, .top = 1},
    {.n = 2, .h = 3, .w = 3, .c = 2, .top = -3},
    {.n = 2, .h = 4, .w = 5, .c = 3, .top = 1, .left = 3, .right = -1, .pitch = {.x = 5, .y = 7}},
    {.n = 3, .h = 40, .w = 50, .c = 16, .top = 8, .bottom = 16, .left = 7, .right = 7}};

// What mirrors: also farther than the size, from one value, and with a side that is cut.
const PadSpec kMirrorCases[] = {
    {.n = 2, .h = 4, .w = 5, .c = 3, .top = 1, .bottom = 2, .left = 3, .right = 1, .mirror = true},
    {.n = 2, .h = 5, .w = 9, .c = 4, .bottom = 3, .right = 7, .mirror = true},
    {.n = 1, .h = 2, .w = 1, .c = 2, .top = 9, .bottom = 4, .left = 5, .right = 7, .mirror = true},
    {.n = 1, .h = 3, .w = 4, .c = 2, .top = -1, .bottom = 5, .left = 6, .right = -2, .mirror = true},
    {.n = 2, .w = 13, .c = 5, .right = 3, .mirror = true},
    {.n = 0, .h = 3, .w = 3, .c = 2, .top = 1, .mirror = true},
    {.n = 2,
     .h = 4,
     .w = 5,
     .c = 3,
     .top = 1,
     .left = 3,
     .right = 4,
     .mirror = true,
     .pitch = {.x = 5, .y = 7, .dx = 4, .dy = 6}},
    {.n = 3, .h = 40, .w = 50, .c = 16, .top = 8, .bottom = 16, .left = 7, .right = 7, .mirror = true}};

TEST(PadKernel, complete) {
  std::vector<OpCase<Pad>> cases;
  for (const PadSpec& g : kPadCases) cases.push_back({g}), cases.push_back({g.inverse()});
  for (const PadSpec& g : kMirrorCases) cases.push_back({g});
  check_op<Pad>(cases, {.exact = true});
}

TEST(PadReference, mirrors_as_numpy_does) {  // np.pad([1, 2, 3], (4, 5), "symmetric")
  const float x[] = {1, 2, 3};
  float y[12];
  Pad::reference(PadSpec{.w = 3, .left = 4, .right = 5, .mirror = true}, Pad::Forward<float>{x, y});
  const float expected[] = {3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2};
  EXPECT_TRUE(std::equal(std::begin(y), std::end(y), std::begin(expected)));
}

TEST(PadReference, its_inverse_is_its_gradient) {
  for (PadSpec g : kPadCases) {
    g.pitch = {};
    const auto dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
    Array<double> dx(g.x_rows(), g.c), inverse = dx;
    Pad::reference(g, Pad::Backward<double>{dy.data(), dx.data()});
    Pad::reference(g.inverse(), Pad::Forward<double>{dy.data(), inverse.data()});
    EXPECT_TRUE(close(inverse, dx));
  }
}

}  // namespace
}  // namespace kern::kernels
