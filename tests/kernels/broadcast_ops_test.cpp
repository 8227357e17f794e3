#include "kernels/elementwise/broadcast_ops.h"

#include <gtest/gtest.h>

#include "tests/support/kernel_check.h"
#include "tests/support/not_numbers.h"

namespace kern::kernels::broadcast_test {
using kern::testing::Array, kern::testing::close, kern::testing::complex_step, kern::testing::for_each_impl;
using kern::testing::kInf, kern::testing::kNaN;
using Complex = kern::testing::Complex;

constexpr int64_t kValues = 20000;  // of each input: more than any spec below reads

const BroadcastSpec kSpecs[] = {
    {.sizes = {1, 1, 1, 1, 1, 0}},
    {.sizes = {1, 1, 1, 1, 1, 19999}, .a = {0, 0, 0, 0, 0, 1}, .b = {0, 0, 0, 0, 0, 1}},
    {.sizes = {1, 1, 1, 1, 37, 24}, .a = {0, 0, 0, 0, 30, 1}, .b = {0, 0, 0, 0, 0, 1}},  // rows with a pitch, a vector
    {.sizes = {1, 1, 1, 1, 4000, 3}, .a = {0, 0, 0, 0, 1, 0}, .b = {0, 0, 0, 0, 3, 1}},  // [4000,1] and [4000,3]
    {.sizes = {1, 1, 2, 5, 3, 7}, .a = {0, 0, 105, 0, 7, 1}, .b = {0, 0, 0, 21, 0, 3}},
    {.sizes = {2, 3, 2, 3, 2, 5}, .a = {180, 60, 30, 10, 5, 1}, .b = {0, 1, 0, 7, 0, 0}},
    {.sizes = {1, 1, 1, 1, 1, 17}, .a = {0, 0, 0, 0, 0, 0}, .b = {0, 0, 0, 0, 0, 0}},
};

TEST(Strided, runs_are_the_values_in_their_order) {
  for (const BroadcastSpec& g : kSpecs)
    for (int64_t begin = 0; begin <= std::min<int64_t>(g.size(), 40); begin += 3) {
      const int64_t end = std::max(begin, g.size() - 2);
      int64_t next = begin;
      for_each_run(g.sizes, g.strides(), begin, end, [&](int64_t first, int64_t count, const auto& at) {
        ASSERT_EQ(first, next);
        for (int64_t i = 0; i < count; ++i) {
          const auto expected = offsets_of(first + i, g.sizes, g.strides());
          ASSERT_EQ(at[0] + i * g.a.back(), expected[0]);
          ASSERT_EQ(at[1] + i * g.b.back(), expected[1]);
          ASSERT_EQ(expected, offsets_of(uint32_t(first + i), g.sizes, g.strides()));
        }
        next = first + count;
      });
      EXPECT_EQ(next, end);
    }
}

TEST(BroadcastOps, rows_equal_the_reference) {
  // Small integers beside each other: comparisons meet equal values; none is 0, so quotients are numbers.
  auto a = Array<>::integers(1, kValues, 0, 1), b = Array<>::integers(1, kValues, 0, 2);
  b.for_each([](float& v) { v = v == 0 ? 2 : v; });
  for_each_broadcast_op([&]<class Op>() {
    SCOPED_TRACE(Op::kName);
    for (const BroadcastSpec& g : kSpecs) {
      const int64_t n = g.size();
      const auto dy = Array<>::integers(1, n, 0, 3);
      Array<> y0(1, n), da0(1, n), db0(1, n);
      broadcast_forward_reference<Op>(g, a.host(), b.host(), y0.host());
      broadcast_backward_reference<Op>(g, true, dy.host(), a.host(), b.host(), da0.host());
      broadcast_backward_reference<Op>(g, false, dy.host(), a.host(), b.host(), db0.host());
      for_each_impl(broadcast_registry<Op>(), g, [&](const auto& impl, const Exec& exec) {
        Array<> y(1, n), da(1, n), db(1, n);
        impl.forward(exec, g, a.data(), b.data(), y.data());
        impl.backward_a(exec, g, dy.data(), a.data(), b.data(), da.data());
        impl.backward_b(exec, g, dy.data(), a.data(), b.data(), db.data());
        EXPECT_TRUE(close(y, y0));
        EXPECT_TRUE(close(da, da0));
        EXPECT_TRUE(close(db, db0));
      });
    }
  });
}

TEST(BroadcastOps, derivatives_are_those_of_the_complex_step) {
  const BroadcastSpec g{.sizes = {1, 1, 1, 1, 1, 50}, .a = {0, 0, 0, 0, 0, 1}, .b = {0, 0, 0, 0, 0, 1}};
  const auto ad = Array<double>::uniform(1, 50, 0, 1), bd = Array<double>::uniform(1, 50, 0, 2, 0.3, 2),
             dy = Array<double>::integers(1, 50, 0, 3);
  for_each_broadcast_op([&]<class Op>() {
    SCOPED_TRACE(Op::kName);
    auto a = ad.as<Complex>(), b = bd.as<Complex>();
    const auto loss = [&] {
      Array<Complex> y(1, 50);
      broadcast_forward_reference<Op>(g, a.host(), b.host(), y.host());
      return weighted_sum(dy, y);
    };
    for (const bool first : {true, false}) {
      Array<double> d(1, 50);
      broadcast_backward_reference<Op>(g, first, dy.host(), ad.host(), bd.host(), d.host());
      EXPECT_TRUE(close(d, complex_step(first ? a : b, loss), {.absolute = 1e-12, .relative = 1e-12})) << first;
    }
  });
}

TEST(BroadcastOps, ends_and_nan) {
  EXPECT_EQ(Maximum::forward(kInf, 2.0f), kInf);
  EXPECT_EQ(Minimum::forward(-0.5f, 2.0f), -0.5f);
  EXPECT_EQ(Maximum::derivative_a(1.0f, 1.0f), 0.5f);
  EXPECT_EQ(Minimum::derivative_b(1.0f, 1.0f), 0.5f);
  for (const auto& [a, b] : {std::pair{kNaN, 1.0f}, std::pair{1.0f, kNaN}}) {
    EXPECT_TRUE(std::isnan(Maximum::forward(a, b)));
    EXPECT_TRUE(std::isnan(Minimum::forward(a, b)));
    EXPECT_EQ(Less::forward(a, b), 0);
    EXPECT_EQ(LessEqual::forward(a, b), 0);
    EXPECT_EQ(Equal::forward(a, b), 0);
  }
  EXPECT_EQ(Keep::forward(0.0f, kNaN), 0);
  EXPECT_EQ(Drop::forward(1.0f, kNaN), 0);
  EXPECT_EQ(Keep::forward(-1.0f, 3.0f), 3);
  EXPECT_EQ(Drop::forward(0.0f, 3.0f), 3);
}

}  // namespace kern::kernels::broadcast_test
