#include "data/wells_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "data/wells_synthetic.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"

namespace kern::data {
namespace {

using kern::testing::error_of;

using Indices = std::vector<int64_t>;

std::vector<Well> wells_of(int64_t count, double labelled = 1) {
  return synthetic_wells({.wells = count, .samples = 64, .labelled_fraction = labelled, .seed = 9});
}

TEST(GroupWells, EqualNameUwiOrValuesMakeOneWell) {
  auto wells = wells_of(7);
  EXPECT_EQ(group_wells(wells), (Indices{0, 1, 2, 3, 4, 5, 6}));
  wells[3].uwi = wells[5].uwi = "100/06-12";
  wells[4].name = wells[1].name;
  wells[6].curves = wells[5].curves;  // so 3, 5 and 6 are one well
  for (double& d : wells[6].depth) d += 1000;
  EXPECT_EQ(group_wells(wells), (Indices{0, 1, 2, 3, 1, 3, 3}));
}

TEST(GroupWells, ConstantOrMissingCurvesMakeNoWellsEqual) {
  auto wells = wells_of(4);
  for (float& v : wells[0].curves[0].values) v = 0;
  wells[1].curves = wells[0].curves;
  for (float& v : wells[2].curves[0].values) v = NAN;
  wells[3].curves = wells[2].curves;
  EXPECT_EQ(group_wells(wells), (Indices{0, 1, 2, 3}));
}

TEST(SplitWells, ByFractionSeededAndComplete) {
  const auto wells = wells_of(50);
  const Split a = split_wells(wells, {.validation = 0.2, .seed = 1}),
              b = split_wells(wells, {.validation = 0.2, .seed = 1});
  EXPECT_EQ(a.validation.size(), 10u);
  EXPECT_EQ(a.training.size(), 40u);
  EXPECT_EQ(a.validation, b.validation);
  EXPECT_NE(a.validation, split_wells(wells, {.validation = 0.2, .seed = 2}).validation);
  std::set<int64_t> all(a.training.begin(), a.training.end());
  all.insert(a.validation.begin(), a.validation.end());
  EXPECT_EQ(all.size(), 50u);
  EXPECT_TRUE(std::is_sorted(a.training.begin(), a.training.end()));
  EXPECT_EQ(split_wells(wells_of(2), {.validation = 0.01}).validation.size(), 1u);
  EXPECT_EQ(split_wells(wells_of(2), {.validation = 0.99}).training.size(), 1u);
}

TEST(SplitWells, FoldsAreDisjointAndCoverAll) {
  const auto wells = wells_of(23);
  std::vector<int> times(23, 0);
  for (int fold = 0; fold < 5; ++fold) {
    const Split s = split_wells(wells, {.folds = 5, .fold = fold, .seed = 3});
    EXPECT_EQ(s.training.size() + s.validation.size(), 23u);
    EXPECT_GE(s.validation.size(), 4u);
    EXPECT_LE(s.validation.size(), 5u);
    for (const int64_t w : s.validation) ++times[size_t(w)];
  }
  for (const int t : times) EXPECT_EQ(t, 1);
}

TEST(SplitWells, OneWellNeverStandsOnBothSides) {
  auto wells = wells_of(30);
  for (size_t i = 0; i < 30; i += 3) wells[i + 1].uwi = wells[i].uwi = "same " + std::to_string(i);
  const auto group = group_wells(wells);
  for (int fold = 0; fold < 4; ++fold)
    for (uint64_t seed = 0; seed < 20; ++seed)
      for (const Split& s : {split_wells(wells, {.folds = 4, .fold = fold, .seed = seed}),
                             split_wells(wells, {.validation = 0.3, .seed = seed})})
        for (const int64_t v : s.validation)
          for (const int64_t t : s.training) ASSERT_NE(group[size_t(v)], group[size_t(t)]);
}

TEST(SplitWells, AListTakesItsTwinsAlong) {
  auto wells = wells_of(5);
  wells[4].name = "twin", wells[1].name = "twin";
  const Split s = split_wells(wells, {.validation_wells = {wells[1].id, wells[2].id}});
  EXPECT_EQ(s.validation, (Indices{1, 2, 4}));
  EXPECT_EQ(s.training, (Indices{0, 3}));
  ASSERT_EQ(s.notes.size(), 1u);
  EXPECT_SAYS(s.notes[0], wells[4].id);
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.validation_wells = {"synthetic 0000"}}); }),
              "did you mean synthetic 0000");
}

TEST(SplitWells, WellsWithoutLabelsGoToNeitherSide) {
  auto wells = wells_of(40, 0.25);
  const Split before = split_wells(wells, {.validation = 0.2, .seed = 0});
  EXPECT_EQ(before.validation.size(), 2u);
  EXPECT_EQ(before.training.size(), 8u);
  EXPECT_EQ(before.unlabelled.size(), 30u);
  Well twin =
      wells[size_t(before.validation[0])];  // the curve of a validation well must not be seen in training either
  twin.id = twin.name = "twin";
  twin.labels.assign(twin.depth.size(), kUnlabelled);
  wells.push_back(twin);
  for (const int64_t u : split_wells(wells, {.validation_wells = {wells[size_t(before.validation[0])].id}}).unlabelled)
    EXPECT_NE(u, 40);
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.validation_wells = {wells[1].id}}); }), "no labels to evaluate on");
}

TEST(SplitWells, TheTestIsTheSameWhateverValidatesAndSeenByNothing) {
  auto wells = wells_of(40);
  for (size_t i = 0; i < 40; i += 4) wells[i + 1].uwi = wells[i].uwi = "same " + std::to_string(i);
  const auto group = group_wells(wells);
  const Split one = split_wells(wells, {.validation = 0.2, .test = 0.25, .seed = 4});
  EXPECT_EQ(one.test.size(), 10u);
  EXPECT_NEAR(double(one.validation.size()), 6, 1);  // of the 30 that remain
  EXPECT_EQ(one.training.size() + one.validation.size() + one.test.size(), 40u);
  EXPECT_TRUE(std::is_sorted(one.test.begin(), one.test.end()));
  std::set<int64_t> validated;
  for (int fold = 0; fold < 5; ++fold) {
    const Split s = split_wells(wells, {.folds = 5, .fold = fold, .test = 0.25, .seed = 4});
    EXPECT_EQ(s.test, one.test);
    validated.insert(s.validation.begin(), s.validation.end());
    for (const int64_t t : s.test)
      for (const auto& other : {s.training, s.validation})
        for (const int64_t o : other) ASSERT_NE(group[size_t(t)], group[size_t(o)]);
  }
  EXPECT_EQ(validated.size(), 30u);
  const Split listed = split_wells(wells, {.validation_wells = {wells[0].id}, .test = 0.25, .seed = 4});
  EXPECT_EQ(listed.validation, (Indices{0, 1}));
  EXPECT_EQ(std::count(listed.test.begin(), listed.test.end(), 0), 0);

  Well twin = wells[size_t(one.test[0])];  // the curve of a test well must not be seen in training either
  twin.id = twin.name = "twin";
  twin.labels.assign(twin.depth.size(), kUnlabelled);
  wells.push_back(twin);
  EXPECT_TRUE(split_wells(wells, {.validation = 0.2, .test = 0.25, .seed = 4}).unlabelled.empty());
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.test = 1}); }), "test=1 is no share");
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.test = 0.001}); }), "keeps none of them for the test");
}

TEST(SplitWells, WhatCannotBeSplitIsSaid) {
  const auto wells = wells_of(3);
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.validation = 0}); }), "validation=0 is not a fraction");
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.folds = 4}); }),
              "folds=4 needs as many different labelled wells, and there are 3");
  EXPECT_SAYS(error_of([&] { split_wells(wells, {.folds = 3, .fold = 3}); }), "fold=3 of folds=3");
  EXPECT_SAYS(error_of([&] { split_wells(wells_of(3, 0), {}); }), "none of the 3 wells has a label");
  EXPECT_SAYS(error_of([&] { split_wells(wells_of(1), {}); }),
              "of 1 well 1 labelled is left for training and 0 for validation");
  EXPECT_SAYS(error_of([&] {
                split_wells(wells, {.validation_wells = {wells[0].id, wells[1].id, wells[2].id}});
              }),
              "0 labelled are left for training");
}

}  // namespace
}  // namespace kern::data
