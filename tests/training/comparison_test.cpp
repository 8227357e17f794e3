#include "training/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

ComparedRun run_of(const std::string& name, const Settings& settings, std::vector<int> truth,
                   std::vector<int> predicted, std::vector<std::string> evaluated) {
  ComparedRun r{
      .name = name, .settings = settings, .numbers = {}, .words = {}, .metrics = {}, .evaluated = std::move(evaluated)};
  ConfusionMatrix matrix(make_classes({"shale", "sand"}));
  matrix.add(truth, predicted);
  set_matrix(r, matrix);
  return r;
}

std::string sentence_of(const std::vector<ComparedRun>& runs) {
  std::vector<Settings> settings;
  for (const ComparedRun& r : runs) settings.push_back(r.settings);
  try {
    check_comparable(runs, group_runs(settings, {.silent = {"run"}, .repeats = {"seed", "fold"}}));
  } catch (const Error& e) {
    return e.sentence();
  }
  return {};
}

TEST(Comparison, MeansAndDeviationsByHand) {
  const Spread s = spread_of(std::vector<double>{1, 2, 6});
  EXPECT_DOUBLE_EQ(s.mean, 3);
  EXPECT_DOUBLE_EQ(s.deviation, std::sqrt(7.0));  // (4 + 1 + 9) / 2
  EXPECT_EQ(to_string(s, 2), "3.00 ± 2.65");
  EXPECT_EQ(to_string(spread_of(std::vector<double>{0.5}), 3), "0.500");
  EXPECT_EQ(to_string(spread_of(std::vector<double>{})), "–");
}

TEST(Comparison, RunsThatDifferInSeedOrFoldAloneAreOneMethod) {
  const std::vector<Settings> runs{{{"run", "a"}, {"method", "x"}, {"lr", "1"}, {"seed", "1"}},
                                   {{"run", "b"}, {"method", "y"}, {"lr", "1"}, {"seed", "1"}},
                                   {{"run", "c"}, {"method", "x"}, {"lr", "1"}, {"seed", "2"}}};
  const auto methods = group_runs(runs, {.silent = {"run"}, .repeats = {"seed", "fold"}});
  ASSERT_EQ(methods.size(), 2u);
  EXPECT_EQ(methods[0].name, "method=x");
  EXPECT_EQ(methods[0].runs, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(methods[1].runs, (std::vector<size_t>{1}));
}

TEST(Comparison, FiguresOfAMethodAndItsRunsInOneMatrix) {
  const std::vector<ComparedRun> runs{run_of("a", {{"seed", "1"}}, {0, 0, 1, 1}, {0, 0, 1, 0}, {"w"}),
                                      run_of("b", {{"seed", "2"}}, {0, 0, 1, 1}, {0, 1, 0, 0}, {"w"})};
  const ComparedMethod all{"", {}, {0, 1}};
  const Spread s = spread_of(runs, all, "accuracy");
  EXPECT_DOUBLE_EQ(s.mean, 0.5);
  EXPECT_DOUBLE_EQ(s.deviation, std::sqrt(0.125));
  const ConfusionMatrix m = pooled(runs, all);
  EXPECT_EQ(m.count(0, 0), 3);
  EXPECT_EQ(m.count(0, 1), 1);
  EXPECT_EQ(m.count(1, 0), 3);
  EXPECT_EQ(m.count(1, 1), 1);
}

TEST(Comparison, EpochsUntilAnAimOverTheRunsThatCameToIt) {
  std::vector<ComparedRun> runs{run_of("a", {{"seed", "1"}}, {0}, {0}, {"w"}),
                                run_of("b", {{"seed", "2"}}, {0}, {0}, {"w"})};
  runs[0].metrics = {{"epoch", "mean_iou", "val_loss"}, {{1, 0.2, 3}, {2, 0.5, 2}}};
  runs[1].metrics = {{"epoch", "mean_iou", "val_loss"}, {{1, 0.1, 4}, {2, 0.3, 1}}};
  const ComparedMethod all{"", {}, {0, 1}};
  EXPECT_EQ(epochs_until(runs, all, "mean_iou", 0.2).mean, 1.5);
  EXPECT_EQ(epochs_until(runs, all, "mean_iou", 0.4).n, 1);
  EXPECT_EQ(aims_all_reached(runs, {"mean_iou", "val_loss", "binary_iou"}), (Aims{{"mean_iou", 0.3}, {"val_loss", 2}}));
}

TEST(Comparison, WhatCannotBeComparedIsSaid) {
  const auto run = [](const char* name, const char* method, const char* seed, std::vector<std::string> evaluated) {
    return run_of(name, {{"method", method}, {"seed", seed}}, {0}, {0}, std::move(evaluated));
  };
  EXPECT_EQ(sentence_of({run("a", "x", "1", {"w1"}), run("b", "y", "1", {"w1"})}), "");
  EXPECT_EQ(sentence_of({run("a", "x", "1", {"w1"}), run("b", "x", "2", {"w2"})}), "") << "folds";
  EXPECT_NE(sentence_of({run("a", "x", "1", {"w1"}), run("b", "y", "1", {"w2"})}).find("same validation data"),
            std::string::npos);
  EXPECT_NE(sentence_of({run("a", "x", "1", {"w1", "w2"}), run("b", "x", "2", {"w2", "w3"})}).find("split_seed"),
            std::string::npos);
  std::vector<ComparedRun> other{run("a", "x", "1", {"w1"}), run("b", "x", "2", {"w1"})};
  other[1].matrix = ConfusionMatrix(make_classes({"shale", "chalk"}));
  EXPECT_NE(sentence_of(other).find("b tells other classes apart than a"), std::string::npos);
}

}  // namespace
}  // namespace kern::training
