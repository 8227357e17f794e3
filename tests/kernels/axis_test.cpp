// sum_axis, max_axis, cumsum, gather and strided_copy: every row against the reference, and the complex step.
#include <gtest/gtest.h>

#include "kernels/reduce/cumsum.h"
#include "kernels/reduce/max_axis.h"
#include "kernels/reduce/sum_axis.h"
#include "kernels/shape/gather.h"
#include "kernels/shape/strided_copy.h"
#include "tests/support/class_targets.h"
#include "tests/support/not_numbers.h"
#include "tests/support/op_check.h"

namespace kern::kernels::axis_test {
using kern::testing::Array, kern::testing::close, kern::testing::for_each_impl, kern::testing::Values;
using kern::testing::kNaN, kern::testing::Complex, kern::testing::complex_step;

// Short and long axes, few sums and many, one value at a time and rows of odd and even length.
const AxisSpec kCases[] = {{3, 4, 5},     {1, 40000, 1}, {2, 20000, 3}, {1, 700, 64}, {70, 33, 1},
                           {2, 130, 300}, {66000, 3, 1}, {1000, 1, 70}, {0, 3, 2},    {2, 5, 0}};

TEST(SumAxisKernel, complete) {
  std::vector<testing::OpCase<SumAxis>> cases{{{{4, 0, 3}, 1}}, {{{2, 5, 3}, 0.5}}};
  for (const AxisSpec& c : kCases) cases.push_back({{c, 0.5}});
  testing::check_op<SumAxis>(cases, {.exact = true});
}

TEST(SumAxisKernel, adds_in_double) {  // on a GPU after every 8 values
  const SumAxisSpec g{{1, 30001, 1}, 1};
  Array<> x(1, g.n);
  x.for_each([first = true](float& v) mutable { v = first ? 0x1p25f : 1.0f, first = false; });
  for_each_impl(SumAxis::registry(), g, [&](const auto& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference") return;  // is of floats
    Array<> y(1, 1);
    impl.forward(exec, g, {x.data(), y.data()});
    EXPECT_NEAR(double(y.at(0, 0)), 0x1p25 + 30000, 8);
  });
}

TEST(MaxAxisKernel, rows_equal_the_reference) {
  for (const AxisSpec& c : kCases)
    for (const bool smallest : {false, true}) {
      const MaxAxisSpec g{c, smallest};
      SCOPED_TRACE(text(g.outer, "x", g.n, "x", g.inner, smallest ? " min" : ""));
      auto x = Array<>::integers(1, g.x_size(), 0, 1, 50);  // many are equal
      if (g.x_size() > 20) x.at(0, g.x_size() / 2) = x.at(0, g.x_size() / 3) = kNaN;
      const auto dy = Array<>::integers(1, g.y_size(), 0, 2);
      Array<> y0(1, g.y_size()), dx0(1, g.x_size());
      Values<int32_t> index0(size_t(g.y_size()), 0);
      max_axis_forward_reference(g, x.host(), y0.host(), index0.host());
      max_axis_backward_reference(g, dy.host(), index0.host(), dx0.host());
      for_each_impl(max_axis_registry(), g, [&](const MaxAxisImpl& impl, const Exec& exec) {
        Array<> y(1, g.y_size()), dx(1, g.x_size());
        Values<int32_t> index(size_t(g.y_size()), 0);
        impl.forward(exec, g, x.data(), y.data(), index.data());
        impl.backward(exec, g, dy.data(), index.data(), dx.data());
        for (size_t i = 0; i < index.size(); ++i) ASSERT_EQ(index[i], index0[i]) << i;
        EXPECT_TRUE(close(dx, dx0));
        for (int64_t i = 0; i < g.y_size(); ++i)
          ASSERT_TRUE(y.at(0, i) == y0.at(0, i) || (std::isnan(y.at(0, i)) && std::isnan(y0.at(0, i)))) << i;
      });
    }
}

TEST(MaxAxisKernel, the_first_of_equals_and_the_first_nan) {
  EXPECT_TRUE(takes_over(2.0f, 1.0f, false) && takes_over(1.0f, 2.0f, true) && takes_over(kNaN, 1.0f, true));
  EXPECT_FALSE(takes_over(1.0f, 1.0f, false) || takes_over(1.0f, kNaN, false) || takes_over(kNaN, kNaN, true));
}

TEST(CumsumKernel, rows_equal_the_reference) {
  for (const AxisSpec& c : kCases)
    for (const bool reverse : {false, true}) {
      const CumsumSpec g{c, reverse};
      const auto x = Array<>::integers(1, g.x_size(), 0, 1);
      Array<> y0(1, g.x_size());
      cumsum_reference(g, x.host(), y0.host());
      for_each_impl(cumsum_registry(), g, [&](const CumsumImpl& impl, const Exec& exec) {
        Array<> y(1, g.x_size());
        impl.forward(exec, g, x.data(), y.data());
        EXPECT_TRUE(close(y, y0));
      });
    }
}

TEST(CumsumKernel, its_gradient_is_the_reverse) {
  const CumsumSpec g{{2, 6, 3}, false};
  const auto dy = Array<double>::uniform(1, 36, 0, 1);
  auto x = Array<Complex>::uniform(1, 36, 0, 2);
  Array<double> dx(1, 36);
  cumsum_reference({{2, 6, 3}, true}, dy.host(), dx.host());
  EXPECT_TRUE(close(dx,
                    complex_step(x,
                                 [&] {
                                   Array<Complex> y(1, 36);
                                   cumsum_reference(g, x.host(), y.host());
                                   return weighted_sum(dy, y);
                                 }),
                    {.absolute = 1e-12}));
}

TEST(GatherKernel, rows_equal_the_reference) {
  for (const GatherSpec g :
       {GatherSpec{2, 5, 3, 7, false}, GatherSpec{2, 5, 3, 7, true}, GatherSpec{40, 9, 1, 900, true},
        GatherSpec{1, 3000, 5, 2000, false}, GatherSpec{2, 4, 3, 0, true}, GatherSpec{3, 0, 2, 4, true}}) {
    const int64_t count = g.shared ? g.m : g.y_size();
    const auto x = Array<>::integers(1, g.x_size(), 0, 1), dy = Array<>::integers(1, g.y_size(), 0, 2);
    Values<int32_t> index(size_t(count), 0);
    for (size_t i = 0; i < index.size(); ++i)
      index.host()[i] = int32_t(philox({1, 3}, uint32_t(i), 0, 0, 0).v[0] % uint32_t(g.n + 2)) - 1;
    Array<> y0(1, g.y_size()), dx0(1, g.x_size());
    gather_forward_reference(g, x.host(), index.host(), y0.host());
    gather_backward_reference(g, dy.host(), index.host(), dx0.host());
    for_each_impl(gather_registry(), g, [&](const GatherImpl& impl, const Exec& exec) {
      Array<> y(1, g.y_size()), dx(1, g.x_size());
      impl.forward(exec, g, x.data(), index.data(), y.data());
      impl.backward(exec, g, dy.data(), index.data(), dx.data());
      EXPECT_TRUE(close(dx, dx0));
      for (int64_t i = 0; i < g.y_size(); ++i)
        ASSERT_TRUE(y.at(0, i) == y0.at(0, i) || (std::isnan(y.at(0, i)) && std::isnan(y0.at(0, i)))) << i;
    });
  }
}

TEST(StridedCopyKernel, rows_equal_the_reference) {
  const auto x = Array<>::integers(1, 20000, 0, 1, 1000);
  for (const StridedCopySpec& g :
       {StridedCopySpec{.sizes = {1, 1, 1, 1, 30, 40}, .x = {0, 0, 0, 0, 1, 30}},
        StridedCopySpec{.sizes = {1, 1, 1, 4, 1000, 4}, .x = {0, 0, 0, 1, 4, 0}},
        StridedCopySpec{.sizes = {1, 1, 1, 1, 1, 9999}, .x = {0, 0, 0, 0, 0, -1}, .offset = 9998},
        StridedCopySpec{.sizes = {2, 3, 4, 5, 2, 3}, .x = {1, 2, 60, 240, 6, 12}, .offset = 5}, StridedCopySpec{}}) {
    Array<> y0(1, g.size());
    strided_copy_reference(g, x.host(), y0.host());
    for_each_impl(strided_copy_registry(), g, [&](const StridedCopyImpl& impl, const Exec& exec) {
      Array<> y(1, g.size());
      impl.forward(exec, g, x.data(), y.data());
      EXPECT_TRUE(close(y, y0));
    });
  }
}

}  // namespace kern::kernels::axis_test
