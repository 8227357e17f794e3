#include "data/wells_labelled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/wells_synthetic.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

using Indices = std::vector<int64_t>;

struct Fixture {
  std::vector<Well> wells = synthetic_wells({.wells = 41, .samples = 64, .seed = 9});
  Split split = split_wells(wells, {.validation = 0.2, .seed = 1});
};

TEST(ChooseLabelled, fractions_are_nested_and_complete) {
  const Fixture f;
  Indices before;
  for (const double fraction : {0.01, 0.125, 0.25, 0.5, 1.0}) {
    const LabelledWells l = choose_labelled(f.wells, f.split, {.fraction = fraction, .seed = 1});
    EXPECT_EQ(l.labelled.size(), size_t(std::ceil(fraction * double(f.split.training.size()))));
    EXPECT_TRUE(std::is_sorted(l.labelled.begin(), l.labelled.end()));
    EXPECT_TRUE(std::includes(l.labelled.begin(), l.labelled.end(), before.begin(), before.end())) << fraction;
    Indices all;
    std::merge(l.labelled.begin(), l.labelled.end(), l.hidden.begin(), l.hidden.end(), std::back_inserter(all));
    EXPECT_EQ(all, f.split.training);
    before = l.labelled;
  }
  EXPECT_NE(choose_labelled(f.wells, f.split, {.fraction = 0.25, .seed = 1}).labelled,
            choose_labelled(f.wells, f.split, {.fraction = 0.25, .seed = 2}).labelled);
}

TEST(ChooseLabelled, the_same_well_twice_is_on_one_side) {
  Fixture f;
  for (size_t i = 0; i + 1 < f.split.training.size(); i += 2)
    f.wells[size_t(f.split.training[i])].uwi = f.wells[size_t(f.split.training[i + 1])].uwi = text("pair ", i);
  const LabelledWells l = choose_labelled(f.wells, f.split, {.fraction = 0.3, .seed = 1});
  const Indices group = group_wells(f.wells);
  for (const int64_t a : l.labelled)
    for (const int64_t b : l.hidden) EXPECT_NE(group[size_t(a)], group[size_t(b)]);
}

TEST(ChooseLabelled, a_list_is_taken_as_it_is) {
  const Fixture f;
  const std::string a = f.wells[size_t(f.split.training[3])].id, b = f.wells[size_t(f.split.training[0])].id;
  const LabelledWells l = choose_labelled(f.wells, f.split, {.wells = {a, b}});
  EXPECT_EQ(l.labelled, (Indices{f.split.training[0], f.split.training[3]}));
  EXPECT_EQ(l.hidden.size(), f.split.training.size() - 2);
}

TEST(ChooseLabelled, wrong_use_is_a_sentence) {
  const Fixture f;
  for (const double fraction : {0.0, -0.5, 1.5})
    EXPECT_THROW(choose_labelled(f.wells, f.split, {.fraction = fraction}), Error);
  const std::string validates = f.wells[size_t(f.split.validation[0])].id;
  try {
    choose_labelled(f.wells, f.split, {.wells = {validates}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.sentence().find("which is no training well with labels"), std::string::npos) << e.sentence();
  }
}

}  // namespace
}  // namespace kern::data
