#include "kernels/pool/max_pool.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(MaxPoolSpec{.h = 7, .w = 8, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2}.p() == 3);
static_assert(MaxPoolSpec{.w = 8, .s = 3, .stride_w = 2, .pad_left = 1, .pad_right = 1}.q() == 4);
static_assert(MaxPoolSpec{.h = 9, .r = 3, .stride_h = 2}.windows_at(4).begin == 1);
static_assert(MaxPoolSpec{.h = 9, .r = 3, .stride_h = 2}.windows_at(4).end == 3);
static_assert(MaxPoolSpec{.h = 9, .r = 2, .stride_h = 3}.windows_at(2).begin == 1);
static_assert(MaxPoolSpec{.h = 9, .r = 2, .stride_h = 3}.windows_at(2).end == 1);  // no window holds row 2

// Integers of a small range: many windows have equal maxima.
const MaxPoolSpec kMaxPoolCases[] = {
    {.n = 2, .c = 3, .h = 8, .w = 6, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2, .c = 5, .h = 7, .w = 9, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2,
     .c = 4,
     .h = 7,
     .w = 6,
     .r = 3,
     .s = 3,
     .stride_h = 2,
     .stride_w = 2,
     .pad_top = 1,
     .pad_bottom = 1,
     .pad_left = 1,
     .pad_right = 1},
    {.n = 1, .c = 67, .h = 5, .w = 6, .r = 3, .s = 2, .stride_h = 1, .stride_w = 1, .pad_bottom = 2, .pad_left = 1},
    {.n = 1, .c = 2, .h = 9, .w = 9, .r = 2, .s = 2, .stride_h = 3, .stride_w = 4},
    {.n = 3, .c = 8, .w = 37, .s = 2, .stride_w = 2},
    {.n = 1, .c = 1, .w = 70, .s = 5, .stride_w = 1, .pad_left = 2, .pad_right = 2},
    {.n = 2, .c = 3, .h = 6, .w = 1, .r = 2, .s = 1, .stride_h = 2, .stride_w = 1},
    {.n = 0, .c = 3, .h = 4, .w = 4, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2,
     .c = 3,
     .h = 6,
     .w = 4,
     .r = 2,
     .s = 2,
     .stride_h = 2,
     .stride_w = 2,
     .pitch = {.x = 7, .y = 4, .dx = 5, .dy = 6}},
    {.n = 1, .c = 4, .h = 12, .w = 11, .r = 5, .s = 5, .stride_h = 2, .stride_w = 1, .pad_top = 2, .pad_bottom = 2},
    {.n = 2, .c = 16, .h = 40, .w = 40, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2},
    {.n = 2,
     .c = 20,
     .h = 60,
     .w = 50,
     .r = 5,
     .s = 5,
     .stride_h = 2,
     .stride_w = 1,
     .pad_top = 2,
     .pad_bottom = 2},  // over several bands
};

TEST(MaxPoolKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const MaxPoolSpec& g : kMaxPoolCases) {
    SCOPED_TRACE(text("h ", g.h, " w ", g.w, " c ", g.c));
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1, 4),
               dy = Array<>::integers(g.y_rows(), g.c, g.pitch.dy, 2);
    Array<> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    max_pool_forward_reference(g, x.data(), y0.data());
    max_pool_backward_reference(g, dy.data(), x.data(), dx0.data());
    for_each_impl(max_pool_registry(), g, [&](const MaxPoolImpl& impl, const Exec& exec) {
      if (impl.device == Device::cuda && g.x_rows() * g.c > 100000) return;  // slow emulated
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0));
        impl.backward(exec, g, dy.data(), x.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0));
      }
    });
  }
  set_thread_count(before);
}

// By hand: the NaN is the maximum wherever it is seen, the first of equal values gets the gradient, -inf is a value.
TEST(MaxPoolKernel, nan_equal_values_and_minus_infinity) {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  const MaxPoolSpec g{.w = 8, .s = 2, .stride_w = 2};
  const Values<> x{1, nan, nan, 2, 5, 5, -inf, -inf}, dy{1, 2, 3, 4};
  const float expected[] = {0, 1, 2, 0, 3, 0, 4, 0};
  for_each_impl(max_pool_registry(), g, [&](const MaxPoolImpl& impl, const Exec& exec) {
    Values<> y(4), dx(8);
    impl.forward(exec, g, x.data(), y.data());
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
    EXPECT_EQ(y[2], 5);
    EXPECT_EQ(y[3], -inf);
    impl.backward(exec, g, dy.data(), x.data(), dx.data());
    for (size_t i = 0; i < 8; ++i) EXPECT_EQ(dx[i], expected[i]) << i;
  });
}

TEST(MaxPoolReference, is_its_own_derivative) {
  for (const MaxPoolSpec& g : kMaxPoolCases) {
    if (g.x_rows() * g.c > 300 || g.pitch.x) continue;
    auto x = Array<Complex>::uniform(g.x_rows(), g.c, 0, 1);
    const auto xd = Array<double>::uniform(g.x_rows(), g.c, 0, 1), dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
    Array<double> dx(g.x_rows(), g.c);
    max_pool_backward_reference(g, dy.data(), xd.data(), dx.data());
    EXPECT_TRUE(close(complex_step(x,
                                   [&] {
                                     Array<Complex> y(g.y_rows(), g.c);
                                     max_pool_forward_reference(g, x.data(), y.data());
                                     return weighted_sum(dy, y);
                                   }),
                      dx));
  }
}

}  // namespace
}  // namespace kern::kernels
