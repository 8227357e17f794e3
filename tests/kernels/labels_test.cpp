#include "kernels/labels/labels.h"

#include "tests/support/class_targets.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(LabelsSpec{.rows = 3, .c = 2} != LabelsSpec{.rows = 3});

Values<int32_t> integers(int64_t n, int low, int high, uint32_t seed) {
  Values<int32_t> v(size_t(n), 0);
  for (int64_t i = 0; i < n; ++i)
    v[size_t(i)] = low + int32_t(philox({seed, 3}, uint32_t(i), 0, 0, 0).v[0] % uint32_t(high - low + 1));
  return v;
}
std::vector<int32_t> all(const Values<int32_t>& v) { return {v.begin(), v.end()}; }

TEST(LabelsKernel, rows_equal_the_reference) {
  for (const LabelsSpec g : {LabelsSpec{.rows = 0, .c = 3}, LabelsSpec{.rows = 37, .c = 1, .value = 5},
                             LabelsSpec{.rows = 42, .c = 5, .positions = 14, .x_pitch = 2},
                             LabelsSpec{.rows = 20000, .c = 7, .value = 1, .positions = 5000, .x_pitch = 3}}) {
    const auto l = integers(g.rows, -1, int(g.c) - 1, 1), origin = integers(g.rows, -1, int(g.positions) - 1, 2);
    const auto a = Array<>::integers(g.rows, g.c, 0, 3), b = Array<>::integers(g.rows, g.c, 0, 4),
               x = Array<>::integers(g.rows, 1, g.x_pitch, 5);
    const size_t rows = size_t(g.rows);
    Values<int32_t> relabelled(rows, 0), moved_labels(rows, 0);
    Array<> hot(g.rows, g.c), filled(g.rows, g.c), chosen(g.rows, g.c), moved(g.rows, g.c), mean(3, 1);
    relabel_reference(g, l.data(), relabelled.data());
    one_hot_reference<float>(g, l.data(), nullptr, hot.data());
    one_hot_reference(g, l.data(), a.data(), filled.data());
    choose_reference(g, l.data(), a.data(), b.data(), chosen.data());
    LabelsSpec one = g;
    one.c = 1;
    move_reference(one, l.data(), origin.data(), kIgnore, moved_labels.data());
    move_reference(g, a.data(), origin.data(), 0.0f, moved.data());
    labelled_mean_reference(g, x.data(), l.data(), mean.data());
    for_each_impl(labels_registry(), g, [&](const LabelsImpl& impl, const Exec& exec) {
      Values<int32_t> labels(rows, 0), labels_moved(rows, 0);
      Array<> y(g.rows, g.c), y2(g.rows, g.c), y3(g.rows, g.c), y4(g.rows, g.c), s(3, 1);
      impl.relabel(exec, g, l.data(), labels.data());
      EXPECT_EQ(all(labels), all(relabelled));
      impl.one_hot(exec, g, l.data(), nullptr, y.data());
      EXPECT_TRUE(close(y, hot));
      impl.one_hot(exec, g, l.data(), a.data(), y2.data());
      EXPECT_TRUE(close(y2, filled));
      impl.choose(exec, g, l.data(), a.data(), b.data(), y3.data());
      EXPECT_TRUE(close(y3, chosen));
      impl.move_labels(exec, one, l.data(), origin.data(), labels_moved.data());
      EXPECT_EQ(all(labels_moved), all(moved_labels));
      impl.move_rows(exec, g, a.data(), origin.data(), y4.data());
      EXPECT_TRUE(close(y4, moved));
      impl.mean(exec, g, x.data(), l.data(), s.data());
      EXPECT_TRUE(close(s, mean));  // sums of small integers are exact in any order
    });
  }
}

TEST(LabelsKernel, means_of_nothing_are_zero_and_what_has_no_label_may_be_anything) {
  const LabelsSpec g{.rows = 3};
  const Values<int32_t> none{-1, -1, -1}, one{-1, 4, -1};
  const Values<> x{NAN, 7, INFINITY};
  for_each_impl(labels_registry(), g, [&](const LabelsImpl& impl, const Exec& exec) {
    Array<> s(3, 1);
    impl.mean(exec, g, x.data(), none.data(), s.data());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(s.at(i, 0), 0);
    impl.mean(exec, g, x.data(), one.data(), s.data());
    for (const auto& [i, expected] : {std::pair{0, 7.0f}, {1, 1.0f}, {2, 3.0f}}) EXPECT_EQ(s.at(i, 0), expected);
  });
}

TEST(LabelsKernel, what_is_out_of_range_is_an_error_or_without_label_on_a_gpu) {
  const LabelsSpec g{.rows = 2, .c = 2, .positions = 2};
  const Values<int32_t> bad{1, 2}, labels{5, 6};
  const Values<> x{1, 2, 3, 4};
  for_each_impl(labels_registry(), g, [&](const LabelsImpl& impl, const Exec& exec) {
    Array<> y(2, 2), moved(2, 2);
    if (impl.device == Device::cpu) {
      EXPECT_THROW(impl.one_hot(exec, g, bad.data(), nullptr, y.data()), Error);
      EXPECT_THROW(impl.move_rows(exec, g, x.data(), bad.data(), moved.data()), Error);
      return;
    }
    impl.one_hot(exec, g, bad.data(), nullptr, y.data());
    impl.move_rows(exec, g, x.data(), bad.data(), moved.data());
    EXPECT_EQ(y.at(1, 0) + y.at(1, 1), 0);
    EXPECT_EQ(y.at(0, 1), 1);
    EXPECT_EQ(moved.at(0, 0), 3);
    EXPECT_EQ(moved.at(1, 0), 0);
  });
}

}  // namespace
}  // namespace kern::kernels
