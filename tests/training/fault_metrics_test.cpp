#include "training/fault_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

TEST(FaultMetrics, AveragePrecisionIsScikitLearns) {
  const std::vector<float> p{.1f, .9f, .8f, .7f, .6f, .4f, .35f, .2f};
  const std::vector<int32_t> t{0, 1, 1, 0, 1, 0, 1, 0};
  PrecisionRecall m;
  m.add(std::span(p).first(3), std::span(t).first(3));  // in any pieces
  m.add(std::span(p).subspan(3), std::span(t).subspan(3));
  EXPECT_NEAR(m.average_precision(), (1.0 + 1.0 + 3.0 / 4 + 4.0 / 6) / 4, 1e-12);
  EXPECT_EQ(m.positives(), 4);
  EXPECT_EQ(m.count(), 8);
}

TEST(FaultMetrics, TiesCountTogetherAndUnlabelledTakesNoPart) {
  PrecisionRecall m;
  m.add(std::vector<float>{.5f, .5f, .5f, .9f}, std::vector<int32_t>{1, 0, 0, -1});
  EXPECT_NEAR(m.average_precision(), 1.0 / 3, 1e-12);
  EXPECT_EQ(m.count(), 3);
  EXPECT_TRUE(std::isnan(PrecisionRecall().average_precision()));
}

TEST(FaultMetrics, CountsOfPartsAddUp) {
  const std::vector<float> p{.1f, .9f, .8f, .7f};
  const std::vector<int32_t> t{0, 1, 1, 0};
  PrecisionRecall whole, part, sum;
  whole.add(p, t);
  part.add(std::span(p).first(3), std::span(t).first(3));
  sum.add(std::span(p).subspan(3), std::span(t).subspan(3));
  sum.add_counts(part.counts());
  EXPECT_EQ(sum.counts(), whole.counts());
  EXPECT_EQ(sum.positives(), 2);
  EXPECT_EQ(sum.count(), 4);
  EXPECT_EQ(sum.average_precision(), whole.average_precision());

  const data::Block line{1, 1, 8};
  TolerantAgreement a(1), b(1);
  a.add(std::vector<float>{0, 1, 0, 0, 0, 0, 1, 0}, std::vector<int32_t>{0, 0, 1, 0, 0, 0, 0, 0}, line);
  b.add_counts(a.counts());
  EXPECT_EQ(b.precision(), 0.5);
  EXPECT_EQ(b.recall(), 1);
  b.add_counts(a.counts());
  EXPECT_EQ(b.counts(), (std::vector<int64_t>{4, 2, 2, 2}));
}

TEST(FaultMetrics, PointsOfTheCurve) {
  PrecisionRecall m;
  m.add(std::vector<float>{.9f, .8f, .7f, .2f, 1.0f, NAN}, std::vector<int32_t>{1, 0, 1, 1, 1, 0});
  const auto half = m.at(0.5);
  EXPECT_NEAR(half.precision, 0.75, 1e-12);
  EXPECT_NEAR(half.recall, 0.75, 1e-12);
  const auto best = m.best_f1();  // at .2: 4 of 5, all of 4
  EXPECT_NEAR(best.precision, 0.8, 1e-12);
  EXPECT_NEAR(best.recall, 1.0, 1e-12);
  EXPECT_NEAR(best.threshold, 0.2, 1.0 / 4096);
  EXPECT_EQ(m.at(1).recall, 0.25);
}

TEST(FaultMetrics, ToleranceIsADistance) {
  const data::Block b{1, 9, 9};
  std::vector<float> found(81, 0.0f);
  std::vector<int32_t> truth(81, 0);
  truth[size_t(b.index(0, 4, 4))] = 1;
  found[size_t(b.index(0, 4, 6))] = 0.7f;  // 2 away
  found[size_t(b.index(0, 6, 6))] = 0.7f;  // 2.8 away
  TolerantAgreement two;
  two.add(found, truth, b);
  EXPECT_EQ(two.precision(), 0.5);
  EXPECT_EQ(two.recall(), 1.0);
  EXPECT_NEAR(two.f1(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(two.iou(), 0.5, 1e-12);
  TolerantAgreement three(3), none(0);
  three.add(found, truth, b);
  none.add(found, truth, b);
  EXPECT_EQ(three.precision(), 1.0);
  EXPECT_EQ(none.f1(), 0);
}

TEST(FaultMetrics, ToleranceReachesAcrossInlinesAndBlocksAddUp) {
  const data::Block b{3, 1, 1};
  TolerantAgreement m(2);
  m.add(std::vector<float>{1, 0, 0}, std::vector<int32_t>{0, 0, 1}, b);
  m.add(std::vector<float>{0, 0, 0}, std::vector<int32_t>{0, 1, 0}, b);
  EXPECT_EQ(m.precision(), 1.0);
  EXPECT_EQ(m.recall(), 0.5);
  EXPECT_TRUE(std::isnan(TolerantAgreement().f1()));
  EXPECT_THROW(m.add(std::vector<float>{1}, std::vector<int32_t>{0, 0}, b), Error);
}

}  // namespace
}  // namespace kern::training
