#include "kernels/pool/upsample.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

constexpr auto kLinear = Upsampling::linear;
static_assert(UpsampleSpec{.w = 3, .q = 7}.column_tap(6).i0 == 2);
static_assert(UpsampleSpec{.w = 2, .q = 4, .how = kLinear}.column_tap(0).w1 == 0);
static_assert(UpsampleSpec{.w = 2, .q = 4, .how = kLinear}.column_tap(1).w1 == 0.25f);
static_assert(UpsampleSpec{.w = 2, .q = 4, .how = kLinear}.column_tap(3).i1 == 1);
static_assert(UpsampleSpec{.w = 3, .q = 5, .how = kLinear, .align_corners = true}.column_tap(3).w1 == 0.5f);

// Factors that are powers of two give weights that are exact in float; other sizes are compared with a tolerance.
struct UpsampleCase {
  UpsampleSpec g;
  bool exact = true;
};
const UpsampleCase kUpsampleCases[] = {
    {{.n = 2, .c = 3, .h = 4, .w = 5, .p = 8, .q = 10}},
    {{.n = 2, .c = 3, .h = 4, .w = 5, .p = 8, .q = 10, .how = kLinear}},
    {{.n = 1, .c = 9, .h = 5, .w = 3, .p = 9, .q = 5, .how = kLinear, .align_corners = true}},
    {{.n = 2, .c = 2, .h = 7, .w = 5, .p = 11, .q = 13}},
    {{.n = 2, .c = 2, .h = 7, .w = 5, .p = 11, .q = 13, .how = kLinear}, false},
    {{.n = 2, .c = 2, .h = 7, .w = 5, .p = 3, .q = 2, .how = kLinear}, false},
    {{.n = 2, .c = 2, .h = 7, .w = 5, .p = 1, .q = 17, .how = kLinear, .align_corners = true}},
    {{.n = 1, .c = 2, .h = 9, .w = 9, .p = 4, .q = 3}},
    {{.n = 3, .c = 16, .w = 37, .q = 74, .how = kLinear}},
    {{.n = 1, .c = 1, .w = 5, .q = 20}},
    {{.n = 1, .c = 1, .w = 1, .q = 6, .how = kLinear}},
    {{.n = 1, .c = 2, .w = 5, .q = 7, .how = kLinear, .step_w = 1 / 1.5f}, false},
    {{.n = 0, .c = 3, .h = 4, .w = 5, .p = 8, .q = 10, .how = kLinear}},
    {{.n = 2, .c = 3, .h = 4, .w = 5, .p = 8, .q = 10, .how = kLinear, .pitch = {.x = 7, .y = 4, .dx = 5, .dy = 6}}},
    {{.n = 2, .c = 16, .h = 20, .w = 20, .p = 40, .q = 40, .how = kLinear}},
};

TEST(UpsampleKernel, rows_agree_with_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const auto& [spec, exact] : kUpsampleCases) {
    const UpsampleSpec& g = spec;
    SCOPED_TRACE(text(g.how, " ", g.h, "x", g.w, " to ", g.p, "x", g.q));
    const Tolerance tolerance{.absolute = exact ? 0 : 1e-5};
    const auto x = Array<>::integers(g.x_rows(), g.c, g.pitch.x, 1),
               dy = Array<>::integers(g.y_rows(), g.c, g.pitch.dy, 2);
    Array<> y0(g.y_rows(), g.c, g.pitch.y), dx0(g.x_rows(), g.c, g.pitch.dx);
    upsample_forward_reference(g, x.data(), y0.data());
    upsample_backward_reference(g, dy.data(), dx0.data());
    for_each_impl(upsample_registry(), g, [&](const UpsampleImpl& impl, const Exec& exec) {
      Array<> first_y(0, 0), first_dx(0, 0);
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(g.y_rows(), g.c, g.pitch.y), dx(g.x_rows(), g.c, g.pitch.dx);
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0, tolerance));
        impl.backward(exec, g, dy.data(), dx.data());
        EXPECT_TRUE(close(dx, dx0, tolerance));
        if (threads == 1) first_y = y, first_dx = dx;
        EXPECT_TRUE(close(y, first_y));
        EXPECT_TRUE(close(dx, first_dx));
      }
    });
  }
  set_thread_count(before);
}

// By hand, from the conventions: half-pixel centres of 2 -> 4 lie at -1/4 (0), 1/4, 3/4, 5/4 (1).
TEST(UpsampleKernel, conventions_by_hand) {
  struct Hand {
    UpsampleSpec g;
    Values<> x;
    std::vector<float> y;
  };
  const Hand hands[] = {
      {{.w = 2, .q = 4, .how = kLinear}, {0, 4}, {0, 1, 3, 4}},
      {{.w = 2, .q = 3, .how = kLinear, .align_corners = true}, {0, 4}, {0, 2, 4}},
      {{.w = 4, .q = 2, .how = kLinear}, {0, 2, 4, 8}, {1, 6}},
      {{.w = 3, .q = 5}, {1, 2, 3}, {1, 1, 2, 2, 3}},  // floor(0, 0.6, 1.2, 1.8, 2.4)
      {{.w = 3, .q = 6}, {1, 2, 3}, {1, 1, 2, 2, 3, 3}},
      {{.h = 2, .w = 2, .p = 3, .q = 3, .how = kLinear, .align_corners = true},
       {0, 2, 4, 6},
       {0, 1, 2, 2, 3, 4, 4, 5, 6}},
      {{.w = 3, .q = 1, .how = kLinear, .align_corners = true}, {5, 6, 7}, {5}},
  };
  for (const Hand& hand : hands)
    for_each_impl(upsample_registry(), hand.g, [&](const UpsampleImpl& impl, const Exec& exec) {
      Values<> y(hand.y.size());
      impl.forward(exec, hand.g, hand.x.data(), y.data());
      EXPECT_EQ(std::vector<float>(y.begin(), y.end()), hand.y);
    });
}

TEST(UpsampleReference, is_its_own_derivative) {
  for (const auto& [spec, exact] : kUpsampleCases) {
    UpsampleSpec g = spec;
    g.pitch = {};
    if (g.x_rows() * g.c > 300) continue;
    auto x = Array<Complex>::integers(g.x_rows(), g.c, 0, 1);
    const auto dy = Array<double>::integers(g.y_rows(), g.c, 0, 2);
    Array<double> dx(g.x_rows(), g.c);
    upsample_backward_reference(g, dy.data(), dx.data());
    EXPECT_TRUE(close(complex_step(x,
                                   [&] {
                                     Array<Complex> y(g.y_rows(), g.c);
                                     upsample_forward_reference(g, x.data(), y.data());
                                     return weighted_sum(dy, y);
                                   }),
                      dx, {.absolute = 1e-12}));
  }
}

}  // namespace
}  // namespace kern::kernels
