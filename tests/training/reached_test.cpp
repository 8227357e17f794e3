#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/error.h"
#include "training/epochs_to.h"

namespace kern::training {
namespace {

const CsvTable kMetrics{{"epoch", "val_loss", "mean_iou"},
                        {{1, 1.5, 0.2}, {2, NAN, 0.5}, {3, 0.7, 0.4}, {4, 0.9, 0.6}}};

TEST(Reached, ALossByFallingEverythingElseByRising) {
  EXPECT_EQ(epochs_until(kMetrics, "mean_iou", 0.5), 2);
  EXPECT_EQ(epochs_until(kMetrics, "mean_iou", 0.55), 4);
  EXPECT_EQ(epochs_until(kMetrics, "val_loss", 1.0), 3);
  EXPECT_FALSE(epochs_until(kMetrics, "mean_iou", 0.7));
  EXPECT_FALSE(epochs_until(kMetrics, "binary_iou", 0.1)) << "there is no such column";
  EXPECT_EQ(best_of(kMetrics, "val_loss"), 0.7);
  EXPECT_EQ(best_of(kMetrics, "mean_iou"), 0.6);
  EXPECT_FALSE(best_of(CsvTable{{"epoch", "x"}, {{1, NAN}}}, "x"));
  EXPECT_EQ(aim_in_words("val_loss", 0.7), "val_loss <= 0.7");
}

TEST(Reached, AnUnknownFigureIsAnsweredWithTheNearest) {
  const std::vector<std::string> figures{"val_loss", "mean_iou"};
  check_aims({{"mean_iou", 0.5}}, figures);
  try {
    check_aims({{"mean_uio", 0.5}}, figures);
    FAIL() << "it was taken";
  } catch (const Error& e) {
    EXPECT_NE(e.sentence().find("did you mean mean_iou?"), std::string::npos) << e.sentence();
  }
}

TEST(Reached, AHistoryIsATable) {
  const CsvTable t = table_of({{1, 2.0, 0.1, 0, {{"mean_iou", 0.3}}}, {2, 1.0, 0.1, 0, {{"mean_iou", 0.6}}}});
  EXPECT_EQ(epochs_until(t, "mean_iou", 0.6), 2);
}

}  // namespace
}  // namespace kern::training
