#include "kernels/shape/pad.h"

#include <algorithm>
#include <iterator>

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

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

TEST(PadKernel, rows_equal_the_reference_forward_and_back) {
  const int before = thread_count();
  for (const PadSpec& g : kPadCases)
    for (const PadSpec& way : {g, g.inverse()}) {
      const auto x = Array<>::integers(way.x_rows(), g.c, way.pitch.x, 1);
      Array<> y0(way.y_rows(), g.c, way.pitch.y);
      pad_reference(way, x.data(), y0.data());
      for_each_impl(pad_registry(), way, [&](const PadImpl& impl, const Exec& exec) {
        for (int threads : {1, 3}) {
          set_thread_count(threads);
          Array<> y(way.y_rows(), g.c, way.pitch.y);
          impl.forward(exec, way, x.data(), y.data());
          EXPECT_TRUE(close(y, y0));
          PadSpec back = way.inverse();  // its backward is the same copy
          back.pitch = {.dx = way.pitch.y, .dy = way.pitch.x};
          Array<> dx(way.y_rows(), g.c, way.pitch.y);
          impl.backward(exec, back, x.data(), dx.data());
          EXPECT_TRUE(close(dx, y0));
        }
      });
    }
  set_thread_count(before);
}

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

TEST(PadKernel, rows_mirror_as_the_reference_does_forward_and_back) {
  const int before = thread_count();
  for (const PadSpec& g : kMirrorCases) {
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1),
               dy = Array<>::integers(g.y_rows(), g.c, g.pitch.dy, 2);
    Array<> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    pad_reference(g, x.data(), y0.data());
    pad_backward_reference(g, dy.data(), dx0.data());
    for_each_impl(pad_registry(), g, [&](const PadImpl& impl, const Exec& exec) {
      for (int threads : {1, 3}) {
        set_thread_count(threads);
        Array<> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        impl.backward(exec, g, dy.data(), dx.data());
        EXPECT_TRUE(close(y, y0));
        EXPECT_TRUE(close(dx, dx0));
      }
    });
  }
  set_thread_count(before);
}

TEST(PadReference, mirrors_as_numpy_does) {  // np.pad([1, 2, 3], (4, 5), "symmetric")
  const float x[] = {1, 2, 3};
  float y[12];
  pad_reference(PadSpec{.w = 3, .left = 4, .right = 5, .mirror = true}, x, y);
  const float expected[] = {3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2};
  EXPECT_TRUE(std::equal(std::begin(y), std::end(y), std::begin(expected)));
}

TEST(PadReference, the_derivative_of_a_mirror) {
  for (PadSpec g : kMirrorCases) {
    g.pitch = {};
    if (g.x_rows() * g.c > 300) continue;
    auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1);
    const auto dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
    Array<double> dx(g.x_rows(), g.c);
    pad_backward_reference(g, dy.data(), dx.data());
    EXPECT_TRUE(close(complex_step(x,
                                   [&] {
                                     Array<Complex> y(g.y_rows(), g.c);
                                     pad_reference(g, x.data(), y.data());
                                     return weighted_sum(dy, y);
                                   }),
                      dx));
  }
}

TEST(PadReference, its_inverse_is_its_derivative) {
  for (PadSpec g : kPadCases) {
    g.pitch = {};
    if (g.x_rows() * g.c > 300) continue;
    auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1);
    const auto dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
    Array<double> dx(g.x_rows(), g.c);
    pad_reference(g.inverse(), dy.data(), dx.data());
    EXPECT_TRUE(close(complex_step(x,
                                   [&] {
                                     Array<Complex> y(g.y_rows(), g.c);
                                     pad_reference(g, x.data(), y.data());
                                     return weighted_sum(dy, y);
                                   }),
                      dx));
  }
}

}  // namespace
}  // namespace kern::kernels
