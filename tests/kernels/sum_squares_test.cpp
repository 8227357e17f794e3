#include "kernels/reduce/sum_squares.h"

#include <limits>

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(SumSquaresSpec{.n = 3} == SumSquaresSpec{.n = 3});

TEST(SumSquaresKernel, adds_to_the_total_exactly_and_the_same_bits_for_any_number_of_threads) {
  const int before = thread_count();
  for (const int64_t n : {0, 1, 37, 100003}) {
    const SumSquaresSpec g{.n = n};
    const auto x = Array<>::integers(n, 1, 0, 1), u = Array<>::uniform(n, 1, 0, 2, 999, 1001);
    double exact = 5, large = 0;
    sum_squares_reference(g, x.data(), &exact);
    sum_squares_reference(g, u.data(), &large);
    for_each_impl(sum_squares_registry(), g, [&](const SumSquaresImpl& impl, const Exec& exec) {
      double first = 0;
      for (int threads : {1, 3}) {
        set_thread_count(threads);
        Values<double> total{5}, sum{0};
        impl.add(exec, g, x.data(), total.data());
        EXPECT_EQ(total[0], exact);
        impl.add(exec, g, u.data(), sum.data());
        EXPECT_LE(std::abs(sum[0] - large), 1e-12 * large);
        if (threads == 1) first = sum[0];
        EXPECT_EQ(sum[0], first);
      }
    });
  }
  set_thread_count(before);
}

TEST(SumSquaresKernel, clipping_scales_what_is_above_the_limit) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  struct {
    double limit, total;
    float scale;
  } const cases[] = {{1, 25, 0.2f}, {5, 25, 1}, {5.5, 25, 1}, {0, 25, 1}, {2, 0, 1}, {2, nan, 1}};
  for_each_impl(sum_squares_registry(), SumSquaresSpec{}, [&](const SumSquaresImpl& impl, const Exec& exec) {
    for (const auto& c : cases) {
      const Values<double> total{c.total};
      Values<> scale{7};
      impl.clip(exec, c.limit, total.data(), scale.data());
      EXPECT_EQ(scale[0], c.scale) << c.limit << " of sqrt " << c.total;
    }
  });
}

}  // namespace
}  // namespace kern::kernels
