#include "training/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/random.h"

namespace kern::training {
namespace intervals {

ClassList three_classes() { return {{"a", "#e69f00"}, {"b", "#56b4e9"}, {"c", "#009e73"}}; }

TEST(Intervals, ABootstrapOfAMeanIsThatOfItsStandardError) {
  std::vector<double> v;
  RandomSequence random(3, RandomStream::noise);
  for (int i = 0; i < 400; ++i) v.push_back(double(random.normal()) + 5);
  const auto mean = [&](std::span<const int64_t> which) {
    double sum = 0;
    for (const int64_t i : which) sum += v[size_t(i)];
    return sum / double(which.size());
  };
  const auto interval = bootstrap(400, mean);
  ASSERT_TRUE(interval.has_value());
  const double middle = std::accumulate(v.begin(), v.end(), 0.0) / 400;
  EXPECT_NEAR(interval->low, middle - 1.96 / 20, 0.015);
  EXPECT_NEAR(interval->high, middle + 1.96 / 20, 0.015);
  EXPECT_EQ(bootstrap(400, mean), interval) << "the same resamples every time";
  EXPECT_FALSE(bootstrap(1, mean).has_value());
  EXPECT_FALSE(bootstrap(9, [](std::span<const int64_t>) { return std::nan(""); }).has_value());
}

TEST(Intervals, OfMatricesHoldTheFiguresOfAllItems) {
  RandomSequence random(4, RandomStream::noise);
  std::vector<ClassTally> items;
  ConfusionMatrix all(three_classes());
  for (int item = 0; item < 30; ++item) {
    ConfusionMatrix own(three_classes());
    for (int i = 0; i < 200; ++i) {
      const int truth = int(random.below(3));
      own.add(truth, random.uniform() < 0.6f + 0.01f * float(item) ? truth : int(random.below(3)));
    }
    items.emplace_back(own);
    all.merge(own);
  }
  const MatrixIntervals i = intervals_of(items);
  const auto holds = [](const std::optional<Interval>& interval, double figure) {
    ASSERT_TRUE(interval.has_value());
    EXPECT_LT(interval->low, figure);
    EXPECT_GT(interval->high, figure);
    EXPECT_LT(interval->high - interval->low, 0.15);
  };
  holds(i.accuracy, all.accuracy());
  holds(i.macro_f1, all.macro_f1());
  holds(i.mean_iou, all.mean_iou());
  for (int64_t c = 0; c < 3; ++c) holds(i.iou[size_t(c)], all.iou(c));
  // Items that are all alike leave no warning, and the figure is the matrix's own.
  const std::vector<ClassTally> alike(5, items[0]);
  const MatrixIntervals none = intervals_of(alike);
  EXPECT_DOUBLE_EQ(none.mean_iou->low, none.mean_iou->high);
  ConfusionMatrix first(three_classes());
  EXPECT_FALSE(intervals_of(std::vector<ClassTally>(1, ClassTally(first))).accuracy.has_value());
  EXPECT_FALSE(intervals_of({}).accuracy.has_value());
}

TEST(Intervals, OfSharesAndRankings) {
  // Wilson's interval of 8 in 10, by hand.
  const auto share = share_interval(8, 10);
  EXPECT_NEAR(share->low, 0.4902, 1e-4);
  EXPECT_NEAR(share->high, 0.9433, 1e-4);
  EXPECT_EQ(share_interval(0, 5)->low, 0);
  EXPECT_EQ(share_interval(5, 5)->high, 1);
  EXPECT_FALSE(share_interval(0, 0).has_value());
  Scores apart{{1, 2, 3, 4}, {5, 6, 7}}, mixed{{1, 2, 3, 4, 5, 6}, {3.5, 4.5, 5.5, 2.5}};
  EXPECT_EQ(auroc_interval(apart), (Interval{1, 1}));
  const auto interval = auroc_interval(mixed);
  EXPECT_LT(interval->low, area_under_roc(mixed));
  EXPECT_GT(interval->high, area_under_roc(mixed));
  EXPECT_FALSE(auroc_interval({{1}, {2, 3}}).has_value());
  EXPECT_EQ(with_interval("AUROC", Interval{0.5, 0.75}), "AUROC (0.500 to 0.750)");
  EXPECT_EQ(with_interval("AUROC", {}), "AUROC");
}

}  // namespace intervals
}  // namespace kern::training
