#include "training/thresholds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

// With numpy and scikit-learn: roc_auc_score, average_precision_score, quantile, median.
const Scores kScores{
    .normal = {2.02, -0.28, 1.21, 0.72, 0.77, 0.89, -0.01, 0.88, 0.57, 2.66, 1.11, 0.82, 0.86, 0.67, 0.47,
               0.8,  1.24,  0.88, 1.48, 0.9,  1.01, 1.77,  1.27, 0.75, 0.91, 1.27, 1.97, 0.87, 0.88, 1.5},
    .anomalous = {1.47, 1.82, 2.53, 2.35, 2.05, 2.4, 0.3, 2.61, 1.42, 1.0, 2.17, 2.42, 1.73, 1.35}};
const ThresholdOptions kQuick{.resamples = 200};

double threshold_of(const char* rule, const Scores& s, const ThresholdOptions& o = {.resamples = 0}) {
  return find_threshold(rule, s, o).threshold;
}

TEST(Thresholds, AreasAreScikitLearns) {
  EXPECT_NEAR(area_under_roc(kScores), 0.8285714285714287, 1e-12);
  EXPECT_NEAR(area_under_precision_recall(kScores), 0.678127292875192, 1e-12);
  EXPECT_EQ(area_under_roc({{1, 2}, {3, 4}}), 1);
  EXPECT_EQ(area_under_roc({{1, 1}, {1}}), 0.5);
  EXPECT_TRUE(std::isnan(area_under_roc({{1}, {}})));
  EXPECT_TRUE(std::isnan(area_under_precision_recall({{}, {1}})));
}

TEST(Thresholds, RulesThatNeedNoAnomalies) {
  EXPECT_EQ(threshold_of("quantile", kScores), 2.66);  // rank ceil(31 x 0.95) = 30 of 30
  EXPECT_EQ(threshold_of("quantile", kScores, {.quantile = 0.9, .resamples = 0}), 1.97);  // rank 28
  EXPECT_NEAR(threshold_of("deviation", kScores), 1.863516, 1e-9);
  const auto all = find_thresholds({kScores.normal, {}}, kQuick);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].rule, "quantile");
  EXPECT_TRUE(std::isnan(all[0].rates.true_positive));
}

TEST(Thresholds, RulesThatOptimiseAgreeWithATryOfEveryThreshold) {
  double f1 = 0, sum = 0, cost = 1e9;
  for (double t = -1; t < 3; t += 0.001) {
    const Rates r = rates_at(kScores, t);
    const double found = 14 * r.true_positive, alarms = 30 * (1 - r.true_negative);
    f1 = std::max(f1, 2 * found / (found + alarms + 14));
    sum = std::max(sum, r.true_positive + r.true_negative);
    cost = std::min(cost, 4 * (14 - found) + alarms);
  }
  auto at = [&](const char* rule, ThresholdOptions o = {.resamples = 0}) {
    return rates_at(kScores, threshold_of(rule, kScores, o));
  };
  const Rates a = at("f1"), b = at("youden"), c = at("cost", {.missed = 4, .resamples = 0});
  EXPECT_NEAR(2 * 14 * a.true_positive / (14 * a.true_positive + 30 * (1 - a.true_negative) + 14), f1, 1e-12);
  EXPECT_NEAR(f1, 0.75, 1e-12);
  EXPECT_NEAR(b.true_positive + b.true_negative, sum, 1e-12);
  EXPECT_NEAR(4 * 14 * (1 - c.true_positive) + 30 * (1 - c.true_negative), cost, 1e-9);
  // A dear miss moves the line down.
  EXPECT_LT(threshold_of("cost", kScores, {.missed = 1000, .resamples = 0}),
            threshold_of("cost", kScores, {.missed = 0.1, .resamples = 0}));
}

TEST(Thresholds, SmallestIsTheNinthTenthOfAllThatMissNone) {
  EXPECT_NEAR(threshold_of("smallest", kScores), 0.27, 1e-12);
  // The original took the 0.9 quantile of thresholds 0, step, 2 step, ... with a true-positive rate of 1.
  const Scores s{{1, 2, 3}, {4.25, 5, 6}};
  std::vector<double> perfect;
  for (int i = 0; i < 10000; ++i)
    if (const double t = 0.001 * i; rates_at(s, t).true_positive == 1) perfect.push_back(t);
  EXPECT_NEAR(threshold_of("smallest", s), perfect[size_t(0.9 * double(perfect.size() - 1))], 0.001);
}

TEST(Thresholds, RecallFindsTheWantedShareAndNoMoreAlarmsThanThatTakes) {
  const ThresholdOptions o{.true_positive = 0.75, .resamples = 0};
  const double t = threshold_of("recall", kScores, o);
  EXPECT_GE(rates_at(kScores, t).true_positive, 0.75);
  EXPECT_LT(rates_at(kScores, t + 0.06).true_positive, 0.75);
}

TEST(Thresholds, TheLineLiesHalfWayBetweenWhatItSeparates) {
  const Scores s{{1, 2, 3}, {5, 6}};
  for (const char* rule : {"f1", "youden", "cost"}) EXPECT_EQ(threshold_of(rule, s), 4) << rule;
}

TEST(Thresholds, WhereBothRatesExceedALevel) {
  const Scores s{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {8.5, 9.5, 11, 12, 13, 14, 15, 16, 17, 18}};
  const auto both = both_at_least(s, 0.8);
  ASSERT_TRUE(both);
  EXPECT_EQ(*both, (Interval{8, 11}));
  for (double t = 0; t < 20; t += 0.01) {  // by definition
    const Rates r = rates_at(s, t);
    const bool good = r.true_positive >= 0.8 && r.true_negative >= 0.8;
    EXPECT_EQ(good, t >= both->low && t < both->high) << t;
  }
  EXPECT_FALSE(both_at_least(s, 0.95));
  EXPECT_FALSE(both_at_least({{1}, {}}, 0.5));
}

TEST(Thresholds, TheCurveRunsFromAllAlarmsToNone) {
  const auto curve = rate_curve(kScores, 20);
  ASSERT_EQ(curve.size(), 20u);
  EXPECT_EQ(curve.front().rates.true_positive, 1);
  EXPECT_EQ(curve.front().rates.true_negative, 0);
  EXPECT_EQ(curve.back().rates.true_positive, 0);
  EXPECT_EQ(curve.back().rates.true_negative, 1);
  for (size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].threshold, curve[i - 1].threshold);
    EXPECT_LE(curve[i].rates.true_positive, curve[i - 1].rates.true_positive);
  }
}

TEST(Thresholds, BootstrapIsRepeatableHonestAndNarrowerWithMoreItems) {
  auto drawn = [](int n) {
    RandomSequence random(7, RandomStream::noise);
    Scores s;
    for (int i = 0; i < n; ++i) s.normal.push_back(random.normal(0, 1)), s.anomalous.push_back(random.normal(2, 1));
    return s;
  };
  const Scores few = drawn(40), many = drawn(400);
  const RuleResult a = find_threshold("youden", few, kQuick), b = find_threshold("youden", few, kQuick),
                   c = find_threshold("youden", many, kQuick);
  EXPECT_EQ(a.true_positive, b.true_positive);
  EXPECT_LE(a.true_positive.low, a.true_positive.high);
  EXPECT_LT(c.true_positive.high - c.true_positive.low, a.true_positive.high - a.true_positive.low);
  // The truth at the best threshold, 1: 0.841 of both kinds.
  EXPECT_LT(c.true_positive.low, 0.8413);
  EXPECT_GT(c.true_positive.high, 0.8413);
  EXPECT_LT(c.thresholds.low, 1.0);
  EXPECT_GT(c.thresholds.high, 1.0);
}

TEST(Thresholds, WarningsAreSentences) {
  RandomSequence random(3, RandomStream::noise);
  Scores good;
  std::vector<double> training, shifted;
  for (int i = 0; i < 300; ++i) {
    good.normal.push_back(random.normal(0, 1));
    training.push_back(random.normal(0, 1));
    shifted.push_back(random.normal(1, 1));
    if (i < 40) good.anomalous.push_back(random.normal(3, 1));
  }
  EXPECT_TRUE(threshold_warnings(good, training).empty());
  auto contains = [](const std::vector<std::string>& warnings, const std::string& words) {
    for (const auto& d : warnings)
      if (d.find(words) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(contains(threshold_warnings(good, shifted), "the data have shifted"));
  EXPECT_TRUE(contains(threshold_warnings({good.normal, {3, 4}}, {}), "with 2 anomalies"));
  EXPECT_TRUE(contains(threshold_warnings({good.normal, {}}, {}), "no anomalies to validate on"));
  EXPECT_TRUE(contains(threshold_warnings({{1, 2, 3}, good.anomalous}, {}),
                       "3 normal items are too few to promise 5 % false alarms, and the largest score is the line"));
  const std::vector<double> some(kScores.normal.begin(), kScores.normal.begin() + 22);
  EXPECT_TRUE(contains(threshold_warnings({some, kScores.anomalous}, {}),
                       "22 normal items are too few to hold 5 % false alarms well: 29 would be needed"));
  EXPECT_TRUE(contains(threshold_warnings({good.normal, good.normal}, {}), "AUROC 0.50"));
}

// A binomial sum, and the density integrated numerically.
TEST(Thresholds, TheBetaDistribution) {
  EXPECT_NEAR(beta_distribution(0.05, 5, 96), 0.5640186993, 1e-9);
  EXPECT_NEAR(beta_distribution(0.3, 2.5, 1.5), 0.0889437232, 1e-7);
  EXPECT_NEAR(beta_distribution(0.7, 1, 1), 0.7, 1e-12);
  EXPECT_EQ(beta_distribution(0, 2, 3), 0);
  EXPECT_EQ(beta_distribution(1, 2, 3), 1);
  const FalseAlarms f = false_alarms_at(96, 100);
  EXPECT_NEAR(f.expected, 5.0 / 101, 1e-12);
  EXPECT_NEAR(beta_distribution(f.range.low, 5, 96), 0.05, 1e-9);
  EXPECT_NEAR(beta_distribution(f.range.high, 5, 96), 0.95, 1e-9);
  // A line at the largest of n scores: 1 - (1 - p)^n.
  EXPECT_NEAR(false_alarms_at(20, 20).range.high, 1 - std::pow(0.05, 1.0 / 20), 1e-9);
}

TEST(Thresholds, RanksAreConformal) {
  EXPECT_EQ(conformal_rank(100, 0.95), 96);
  EXPECT_EQ(conformal_rank(99, 0.95), 95);
  EXPECT_EQ(conformal_rank(19, 0.95), 19);
  EXPECT_EQ(conformal_rank(18, 0.95), 18);  // cannot be promised: the largest
  EXPECT_EQ(conformal_rank(100, 0.95, 19), 100);
  EXPECT_EQ(conformal_rank(100, 0.95, 39), 98);  // 38 of 39
  EXPECT_EQ(in_words(false_alarms_at(96, 100)).find("expected false alarms 5.0 % of good images, 90 % range 2.0 to "),
            0u);
  EXPECT_NE(in_words(false_alarms_at(98, 100, 39)).find("by 100 good images, which are worth 39 independent ones"),
            std::string::npos);
}

// What the words promise, tried: lines found on 60 of a thousand worlds' good scores, and the share of the world above.
TEST(Thresholds, FalseAlarmsAreWhatWasSaid) {
  constexpr int kWorlds = 2000, kItems = 60;
  int inside = 0;
  double sum = 0;
  const FalseAlarms said = false_alarms_at(conformal_rank(kItems, 0.95), kItems);
  for (int world = 0; world < kWorlds; ++world) {
    RandomSequence random(11, RandomStream::noise, uint32_t(world));
    std::vector<double> u;  // uniform: the share above a line at t is 1 - t
    for (int i = 0; i < kItems; ++i) u.push_back(double(random.below(1u << 30)) / double(1u << 30));
    const double alarms = 1 - threshold_of("quantile", {u, {}});
    sum += alarms / kWorlds;
    inside += alarms >= said.range.low && alarms <= said.range.high;
  }
  EXPECT_NEAR(sum, said.expected, 0.002);
  EXPECT_LE(said.expected, 0.05);
  EXPECT_NEAR(double(inside) / kWorlds, 0.9, 0.02);
}

TEST(Thresholds, AlarmsThatChanceDoesNotMake) {
  const FalseAlarms f = false_alarms_at(96, 100);
  EXPECT_NEAR(chance_of_alarms(f, 0, 30), 1, 1e-12);
  double all = 0;  // exactly k of 30: differences
  for (int64_t k = 0; k <= 30; ++k)
    all += double(k) * (chance_of_alarms(f, k, 30) - (k < 30 ? chance_of_alarms(f, k + 1, 30) : 0));
  EXPECT_NEAR(all, 30 * f.expected, 1e-9);  // the beta-binomial's mean
  EXPECT_LT(chance_of_alarms(f, 9, 30), 0.001);
  EXPECT_GT(chance_of_alarms(f, 3, 30), 0.1);
}

// Eight pieces of each of 30 sheets: alike, they are worth little more than the sheets; drawn at random, all.
TEST(Thresholds, ItemsOfAGroupCountAsAlikeAsTheyAre) {
  RandomSequence random(5, RandomStream::noise);
  std::vector<double> alike, free;
  std::vector<int64_t> group;
  for (int g = 0; g < 30; ++g) {
    const double of_sheet = random.normal(0, 1);
    for (int i = 0; i < 8; ++i) {
      alike.push_back(of_sheet + random.normal(0, 0.1f));
      free.push_back(random.normal(0, 1));
      group.push_back(g);
    }
  }
  EXPECT_LT(independent_items(alike, group), 33);
  EXPECT_GE(independent_items(alike, group), 30);
  EXPECT_GT(independent_items(free, group), 150);
  EXPECT_EQ(independent_items(alike, {}), 240);
  EXPECT_EQ(independent_items(std::vector<double>{1, 1, 1}, std::vector<int64_t>{0, 0, 0}), 1);
  EXPECT_THROW(independent_items(alike, std::vector<int64_t>{1}), Error);
}

TEST(Thresholds, Errors) {
  auto says = [](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_NE(says([] { find_threshold("best", kScores); }).find("the rules are smallest, quantile"), std::string::npos);
  EXPECT_NE(says([] { find_threshold("f1", {{1, 2}, {}}); }).find("use threshold=quantile"), std::string::npos);
  EXPECT_NE(says([] { find_thresholds({{}, {1}}); }).find("normal items"), std::string::npos);
  EXPECT_NE(says([] {
              find_thresholds({{1, NAN}, {1}});
            }).find("score 1 of the normal items is nan"),
            std::string::npos);
}

}  // namespace
}  // namespace kern::training
