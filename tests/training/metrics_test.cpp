#include "training/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/json.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

// scikit-learn's example of three classes: y_true = 0 1 2 0 1 2, y_pred = 0 2 1 0 0 1, worked by hand.
ConfusionMatrix small_example() {
  ConfusionMatrix m(make_classes({"shale", "sand", "coal"}));
  const std::vector<int> truth = {0, 1, 2, 0, 1, 2}, prediction = {0, 2, 1, 0, 0, 1};
  m.add(truth, prediction);
  return m;
}

TEST(ConfusionMatrix, figures_of_a_worked_example) {
  const auto m = small_example();
  EXPECT_EQ(m.total(), 6);
  EXPECT_EQ(m.count(0, 0), 2);
  EXPECT_EQ(m.count(1, 0), 1);
  EXPECT_EQ(m.count(1, 2), 1);
  EXPECT_EQ(m.count(2, 1), 2);
  EXPECT_DOUBLE_EQ(m.accuracy(), 2.0 / 6);
  EXPECT_DOUBLE_EQ(m.precision(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(m.recall(0), 1.0);
  EXPECT_DOUBLE_EQ(m.f1(0), 0.8);
  EXPECT_DOUBLE_EQ(m.iou(0), 2.0 / 3);
  EXPECT_EQ(m.f1(1), 0.0);
  EXPECT_DOUBLE_EQ(m.macro_f1(), 0.8 / 3);
  EXPECT_DOUBLE_EQ(m.mean_iou(), 2.0 / 9);
  EXPECT_DOUBLE_EQ(m.balanced_accuracy(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(m.majority_accuracy(), 1.0 / 3);
}

TEST(ConfusionMatrix, an_absent_class_leaves_the_means) {
  ConfusionMatrix m(make_classes({"a", "b", "never"}));
  for (int i = 0; i < 3; ++i) m.add(0, 0);
  m.add(1, 1);
  EXPECT_FALSE(m.present(2));
  EXPECT_EQ(m.iou(2), 0.0);
  EXPECT_DOUBLE_EQ(m.mean_iou(), 1.0);
  EXPECT_DOUBLE_EQ(m.macro_f1(), 1.0);
  m.add(0, 2);  // predicted only: now it counts, with 0
  EXPECT_TRUE(m.present(2));
  EXPECT_DOUBLE_EQ(m.macro_f1(), (6.0 / 7 + 1 + 0) / 3);
  EXPECT_DOUBLE_EQ(m.balanced_accuracy(), (0.75 + 1) / 2) << "recall exists for classes of the truth only";
}

TEST(ConfusionMatrix, nothing_counted_is_zero_and_never_nan) {
  ConfusionMatrix m(make_classes({"a", "b"}));
  m.add(kIgnored, 1);
  m.add(kIgnored, 77);  // the prediction of an unlabelled sample is not looked at
  EXPECT_EQ(m.total(), 0);
  for (double v : {m.accuracy(), m.macro_f1(), m.mean_iou(), m.precision(0), m.recall(0), m.f1(0), m.iou(0),
                   m.balanced_accuracy(), m.majority_accuracy()})
    EXPECT_EQ(v, 0.0);
  for (double v : m.row_shares()) EXPECT_EQ(v, 0.0);
}

TEST(ConfusionMatrix, rows_are_normalised_by_their_support) {
  const auto shares = small_example().row_shares();
  const std::vector<double> expected = {1, 0, 0, 0.5, 0, 0.5, 0, 1, 0};
  EXPECT_EQ(shares, expected);
}

TEST(ConfusionMatrix, merging_is_counting_together) {
  auto a = small_example();
  a.merge(small_example());
  EXPECT_EQ(a.total(), 12);
  EXPECT_EQ(a.count(0, 0), 4);
  EXPECT_DOUBLE_EQ(a.accuracy(), small_example().accuracy());
  EXPECT_THROW(a.merge(ConfusionMatrix(make_classes({"a"}))), Error);
  a.clear();
  EXPECT_EQ(a.total(), 0);
}

TEST(ConfusionMatrix, impossible_classes_are_named) {
  ConfusionMatrix m(make_classes({"a", "b"}));
  try {
    m.add(5, 0);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence(), "a true class of 5 was given, the classes are 0 to 1 (or -1 for a sample without label)");
  }
  EXPECT_THROW(m.add(0, -1), Error);
  EXPECT_THROW(m.add(0, 2), Error);
  EXPECT_THROW(m.add(-2, 0), Error);
  const std::vector<int> two = {0, 1}, one = {0};
  EXPECT_THROW(m.add(two, one), Error);
}

TEST(ConfusionMatrix, csv_and_json_carry_the_same_figures) {
  auto m = small_example();
  EXPECT_EQ(m.counts_csv(), "truth,shale,sand,coal\nshale,2,0,0\nsand,1,0,1\ncoal,0,2,0\n");
  EXPECT_EQ(m.per_class_csv(),
            "class,support,predicted,precision,recall,f1,iou\nshale,2,3,0.6666666666666666,1,0.8,0.6666666666666666\n"
            "sand,2,2,0,0,0,0\ncoal,2,1,0,0,0,0\n");
  const auto j = nlohmann::json::parse(m.json());
  EXPECT_EQ(j["accuracy"].get<double>(), m.accuracy());
  EXPECT_EQ(j["classes"][2]["name"], "coal");
  EXPECT_EQ(j["counts"][2][1], 2);
}

TEST(ConfusionMatrix, hostile_names_stay_names) {
  ConfusionMatrix m(make_classes({"a,\"b\"\nc", "gr\xe8s"}));  // the second is Latin-1, not UTF-8
  m.add(0, 1);
  EXPECT_EQ(m.counts_csv().substr(0, 24), "truth,\"a,\"\"b\"\"\nc\",gr\xe8s\n\"");
  EXPECT_EQ(nlohmann::json::parse(m.json())["classes"][0]["name"], "a,\"b\"\nc");
}

TEST(Classes, unsound_lists_are_refused) {
  EXPECT_THROW(check_classes({}), Error);
  EXPECT_THROW(check_classes({{"", "#000000"}}), Error);
  EXPECT_THROW(check_classes({{"a", "#000000"}, {"a", "#ffffff"}}), Error);
  EXPECT_THROW(check_classes({{"a", "red"}}), Error);
  EXPECT_THROW(check_classes({{"a", "#00000g"}}), Error);
  EXPECT_THROW(check_classes(ClassList(size_t(kMaxClasses) + 1, {"a", "#000000"})), Error);
  EXPECT_NO_THROW(check_classes({{"a", "#00FfA0"}}));
}

TEST(Classes, default_colours_do_not_repeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 256; ++i) EXPECT_TRUE(seen.insert(default_colour(i)).second) << i << " " << default_colour(i);
  EXPECT_EQ(default_colour(0), "#e69f00");
  for (const auto& c : seen) EXPECT_NO_THROW(check_classes({{"x", c}})) << c;
}

}  // namespace
}  // namespace kern::training
