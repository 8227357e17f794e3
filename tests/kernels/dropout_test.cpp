#include "kernels/elementwise/dropout.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(DropoutSpec{.rows = 12, .c = 5, .span = 4}.masks() == 15);
static_assert(DropoutSpec{.p = 0.75f}.scale() == 4);
static_assert(DropoutSpec{.p = 1}.scale() == 0);

const DropoutSpec kDropoutCases[] = {{.rows = 37, .c = 5, .key = {1, 2}, .call = 3},
                                     {.rows = 0, .c = 3},
                                     {.rows = 5001, .c = 7, .p = 0.25f},
                                     {.rows = 9, .c = 1, .p = 0.75f},
                                     {.rows = 11, .c = 600, .p = 0.5f},
                                     {.rows = 9, .c = 6, .p = 0.5f, .pitch = {.x = 7, .y = 11}},
                                     {.rows = 40, .c = 5, .span = 10, .pitch = {.x = 9, .y = 6}},
                                     {.rows = 3000, .c = 21, .span = 1000},
                                     {.rows = 25, .c = 8, .span = 10, .key = {5, 6}},  // the last sample is a short one
                                     {.rows = 70000, .c = 1, .span = 30000},           // whole samples, in runs
                                     {.rows = 35, .c = 1, .span = 5, .pitch = {.x = 2, .y = 3}},
                                     {.rows = 12, .c = 4, .p = 0},
                                     {.rows = 12, .c = 4, .p = 1}};

TEST(DropoutKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  const Values<uint64_t> step{0x500000007};
  for (const DropoutSpec& g : kDropoutCases) {
    const auto x = Array<>::integers(g.rows, g.c, g.pitch.x, 1);
    Array<> y0(g.rows, g.c, g.pitch.y);
    dropout_reference(g, step.data(), x.data(), y0.data());
    for_each_impl(dropout_registry(), g, [&](const DropoutImpl& impl, const Exec& exec) {
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(g.rows, g.c, g.pitch.y);
        impl.forward(exec, g, step.data(), x.data(), y.data());
        EXPECT_TRUE(close(y, y0));
      }
    });
  }
  set_thread_count(before);
}

// A share p is dropped (six deviations wide), whatever is dropped is 0, and the kept are scaled.
TEST(DropoutKernel, drops_the_share_it_should) {
  const Values<uint64_t> step{4};
  for (const float p : {0.1f, 0.5f, 0.9f}) {
    const DropoutSpec g{.rows = 1000, .c = 40, .p = p, .key = {7, 8}};
    for_each_impl(dropout_registry(), g, [&](const DropoutImpl& impl, const Exec& exec) {
      Array<> x(g.rows, g.c), y(g.rows, g.c);
      x.for_each([](float& v) { v = 2; });
      impl.forward(exec, g, step.data(), x.data(), y.data());
      int dropped = 0;
      y.for_each([&](float& v) {
        dropped += v == 0;
        EXPECT_TRUE(v == 0 || v == 2 * g.scale());
      });
      EXPECT_NEAR(dropped, 40000 * double(p), 6 * std::sqrt(40000 * double(p) * (1 - double(p))));
    });
  }
}

TEST(DropoutKernel, masks_change_with_step_call_and_key_and_not_with_the_pitch) {
  const DropoutSpec g{.rows = 20, .c = 9, .key = {1, 2}};
  for_each_impl(dropout_registry(), g, [&](const DropoutImpl& impl, const Exec& exec) {
    auto mask = [&](const DropoutSpec& spec, uint64_t step) {
      const Values<uint64_t> steps{step};
      Array<> x(spec.rows, spec.c, spec.pitch.x), y(spec.rows, spec.c, spec.pitch.y);
      x.for_each([](float& v) { v = 1; });
      impl.forward(exec, spec, steps.data(), x.data(), y.data());
      std::vector<float> out;
      y.for_each([&](float& v) { out.push_back(v); });
      return out;
    };
    DropoutSpec other = g;
    const auto first = mask(g, 0);
    EXPECT_EQ(mask(g, 0), first);
    EXPECT_NE(mask(g, 1), first);
    EXPECT_NE(mask(g, uint64_t{1} << 32), first);
    other.call = 1;
    EXPECT_NE(mask(other, 0), first);
    other = g;
    other.key = {1, 3};
    EXPECT_NE(mask(other, 0), first);
    other = g;
    other.pitch = {.x = 10, .y = 13};
    EXPECT_EQ(mask(other, 0), first);
  });
}

TEST(DropoutReference, is_its_own_derivative) {
  const DropoutSpec g{.rows = 8, .c = 3, .span = 2, .p = 0.5f};
  const uint64_t step = 9;
  auto x = Array<Complex>::integers(g.rows, g.c, 0, 1);
  const auto dy = Array<double>::integers(g.rows, g.c, 0, 2);
  Array<double> dx(g.rows, g.c);
  dropout_reference(g, &step, dy.data(), dx.data());
  EXPECT_TRUE(close(complex_step(x,
                                 [&] {
                                   Array<Complex> y(g.rows, g.c);
                                   dropout_reference(g, &step, x.data(), y.data());
                                   return weighted_sum(dy, y);
                                 }),
                    dx));
}

}  // namespace
}  // namespace kern::kernels
