#include "training/anomaly_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kernels/common/error.h"
#include "tests/training/xml_check.h"
#include "training/report/threshold_explorer.h"

namespace kern::training {
namespace {

TEST(AnomalyMap, IsLinearBetweenPositionsAndKeepsItsSum) {
  const std::vector<float> two{0, 4};
  EXPECT_EQ(anomaly_map(two, 1, 2, 1, 4, 0), (std::vector<float>{0, 1, 3, 4}));
  EXPECT_EQ(anomaly_map(two, 2, 1, 2, 2, 0), (std::vector<float>{0, 0, 4, 4}));
  // A Gaussian moves what is there and loses nothing, at the edges too.
  std::vector<float> point(15 * 11, 0.0f);
  point[3] = 1;
  const std::vector<float> smooth = anomaly_map(point, 15, 11, 15, 11, 2);
  EXPECT_NEAR(std::accumulate(smooth.begin(), smooth.end(), 0.0), 1, 1e-5);
  EXPECT_EQ(std::max_element(smooth.begin(), smooth.end()) - smooth.begin(), 3);
  // In the open the weights are the Gaussian's.
  std::vector<float> middle(31 * 31, 0.0f);
  middle[15 * 31 + 15] = 1;
  const std::vector<float> bell = anomaly_map(middle, 31, 31, 31, 31, 2);
  EXPECT_NEAR(bell[15 * 31 + 17] / bell[15 * 31 + 15], std::exp(-0.5), 1e-5);
  EXPECT_NEAR(bell[17 * 31 + 17] / bell[15 * 31 + 15], std::exp(-1.0), 1e-5);
  EXPECT_THROW(anomaly_map(two, 1, 3, 1, 4, 0), Error);
  EXPECT_THROW(anomaly_map(two, 1, 2, 1, 4, -1), Error);
}

TEST(AnomalyMap, LikelyAnomaliesStandFarOut) {
  std::vector<double> scores;
  for (int i = 0; i < 40; ++i) scores.push_back(10 + 0.1 * (i % 7));
  EXPECT_TRUE(likely_anomalies(scores).empty());
  scores[5] = 14;
  scores[30] = 19;
  EXPECT_EQ(likely_anomalies(scores), (std::vector<size_t>{30, 5}));
  EXPECT_TRUE(likely_anomalies(std::vector<double>{1, 1, 1, 9}).empty());  // too few to say
}

TEST(ThresholdExplorer, IsWellFormedAndHoldsTheMatrix) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "explorer";
  std::filesystem::remove_all(folder);
  Report report(folder, "t");
  report.document().section("s");
  ThresholdView view{.scores = {{1, 2, 3, 4}, {3.5, 5, 6}}, .threshold = 3.2, .level = 0.6, .rules = {{"f1", 3.25}}};
  add_threshold_explorer(report, "threshold", view);
  const std::string html = report.document().markup();
  EXPECT_EQ(kern::testing::xml_fault(html.substr(html.find("<html"))), "");
  for (const char* part :
       {"data-is=\"tp\">3<", "data-is=\"fn\">0<", "data-is=\"fp\">1<", "data-is=\"tn\">3<", "data-is=\"tpr\">1.000<",
        "data-is=\"tnr\">0.750<", "value=\"3.25\">f1<", "both rates reach"})
    EXPECT_NE(html.find(part), html.npos) << part;
  EXPECT_TRUE(std::filesystem::exists(folder / "figures/threshold.svg"));
  // Nothing to show is shown without fault: one kind alone, one score.
  for (const Scores& few : {Scores{{1, 1}, {}}, Scores{{2}, {2}}}) {
    Report other(folder, "t");
    add_threshold_explorer(other, "few", {.scores = few, .threshold = 1, .rules = {}});
    const std::string page = other.document().markup();
    EXPECT_EQ(kern::testing::xml_fault(page.substr(page.find("<html"))), "");
    EXPECT_EQ(page.find("nan"), page.npos);
  }
  for (const Svg& svg : {roc_chart(view.scores), precision_recall_chart(view.scores)})
    EXPECT_EQ(kern::testing::xml_fault(svg.file_markup("x")), "");
}

}  // namespace
}  // namespace kern::training
