#include "data/wells_synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

TEST(WellsSynthetic, SharesOfTheClassesAreThoseOfTheContestTable) {
  const auto wells = synthetic_wells({.wells = 600, .seed = 3});
  std::array<double, kSyntheticClasses> share{};
  for (const Well& w : wells) {
    ASSERT_EQ(w.length(), 1100);
    ASSERT_EQ(w.labels.size(), 1100u);
    for (const int label : w.labels) {
      ASSERT_GE(label, 0);
      ASSERT_LT(label, kSyntheticClasses);
      share[size_t(label)] += 1.0 / (600 * 1100.0);
    }
  }
  EXPECT_NEAR(share[0], 0.526, 0.01);
  for (int c = 1; c < kSyntheticClasses; ++c) EXPECT_NEAR(share[size_t(c)], 0.118, 0.008) << "class " << c;
}

TEST(WellsSynthetic, GammaRayIsHighInTheBackgroundAndLowInACylinder) {
  double background = 0, squares = 0, cylinder = 0;
  int64_t n_background = 0, n_cylinder = 0;
  for (const Well& w : synthetic_wells({.wells = 200, .seed = 5}))
    for (size_t i = 0; i < w.labels.size(); ++i) {
      const double g = double(w.curves[0].values[i]) / 150;
      ASSERT_TRUE(g >= 0 && g < 1);
      if (w.labels[i] == 0) background += g, squares += g * g, ++n_background;
      if (w.labels[i] == 2) cylinder += g, ++n_cylinder;
    }
  background /= double(n_background);
  EXPECT_NEAR(background, 0.65, 0.01);
  EXPECT_NEAR(std::sqrt(squares / double(n_background) - background * background), 0.06, 0.01);  // noise and drift
  EXPECT_NEAR(cylinder / double(n_cylinder), 0.275, 0.01);
}

TEST(WellsSynthetic, ShapesFallAndRiseAsNamed) {
  // The mean over many facies of the first and the last tenth, as drop below the background.
  std::array<double, 5> first{}, last{};
  std::array<int64_t, 5> runs{};
  for (const Well& w : synthetic_wells({.wells = 300, .seed = 6}))
    for (size_t begin = 0, end; begin < w.labels.size(); begin = end) {
      for (end = begin; end < w.labels.size() && w.labels[end] == w.labels[begin];) ++end;
      const size_t label = size_t(w.labels[begin]), tenth = (end - begin) / 10;
      if (label == 0 || end - begin < 30 || end - begin > 110) continue;
      for (size_t i = 0; i < tenth; ++i) {
        first[label] += (0.65 - double(w.curves[0].values[begin + i]) / 150) / double(tenth);
        last[label] += (0.65 - double(w.curves[0].values[end - 1 - i]) / 150) / double(tenth);
      }
      ++runs[label];
    }
  for (size_t c = 1; c < 5; ++c) {
    ASSERT_GT(runs[c], 100);
    const double fall = first[c] / double(runs[c]), rise = last[c] / double(runs[c]);
    const bool sharp_fall = c == 2 || c == 3, sharp_rise = c == 2 || c == 4;
    EXPECT_EQ(fall > 0.25, sharp_fall) << "class " << c << ": " << fall;
    EXPECT_EQ(rise > 0.25, sharp_rise) << "class " << c << ": " << rise;
    EXPECT_EQ(fall < 0.12, !sharp_fall) << "class " << c << ": " << fall;
    EXPECT_EQ(rise < 0.12, !sharp_rise) << "class " << c << ": " << rise;
  }
}

TEST(WellsSynthetic, AWellDependsOnSeedAndIndexAlone) {
  const Well a = synthetic_well({.wells = 10, .seed = 7}, 4), b = synthetic_well({.wells = 5000, .seed = 7}, 4);
  const Well other_seed = synthetic_well({.wells = 10, .seed = 8}, 4),
             other = synthetic_well({.wells = 10, .seed = 7}, 5);
  EXPECT_EQ(a.curves[0].values, b.curves[0].values);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_NE(a.curves[0].values, other_seed.curves[0].values);
  EXPECT_NE(a.curves[0].values, other.curves[0].values);
  EXPECT_NE(a.id, other.id);
}

TEST(WellsSynthetic, TheLabelledFractionIsExactAndChangesNoCurve) {
  const auto all = synthetic_wells({.wells = 80, .seed = 1});
  for (const double fraction : {0.0, 0.125, 0.3, 1.0}) {
    const auto some = synthetic_wells({.wells = 80, .labelled_fraction = fraction, .seed = 1});
    int labelled = 0;
    for (size_t i = 0; i < some.size(); ++i) {
      EXPECT_EQ(some[i].curves[0].values, all[i].curves[0].values);
      if (!some[i].labels.empty()) {
        ++labelled;
        EXPECT_EQ(some[i].labels, all[i].labels);
      }
    }
    EXPECT_EQ(labelled, int(80 * fraction)) << fraction;
  }
}

TEST(WellsSynthetic, ShortAndLongWellsWork) {
  for (const int64_t samples : {64, 65, 300, 20000}) {
    const Well w = synthetic_well({.wells = 1, .samples = samples}, 0);
    EXPECT_EQ(w.length(), samples);
    EXPECT_TRUE(std::any_of(w.labels.begin(), w.labels.end(), [](int l) { return l > 0; }));
    EXPECT_TRUE(std::any_of(w.labels.begin(), w.labels.end(), [](int l) { return l == 0; }));
  }
}

TEST(WellsSynthetic, OptionsOutOfRangeAreNamed) {
  const auto message = [](const SyntheticWells& o) -> std::string {
    try {
      synthetic_wells(o);
    } catch (const Error& e) {
      return e.sentence();
    }
    return "";
  };
  EXPECT_NE(message({.wells = 0}).find("wells=0"), std::string::npos);
  EXPECT_NE(message({.samples = 10}).find("samples=10"), std::string::npos);
  EXPECT_NE(message({.step = -1}).find("step=-1"), std::string::npos);
  EXPECT_NE(message({.labelled_fraction = 1.5}).find("labelled_fraction=1.5"), std::string::npos);
  EXPECT_NE(message({.labelled_fraction = NAN}).find("labelled_fraction"), std::string::npos);
}

TEST(WellsSynthetic, WritesTheContestTable) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "kern_synthetic.csv";
  write_synthetic_csv(file, {.wells = 2, .samples = 64, .labelled_fraction = 0.5, .seed = 2});
  const std::string table = read_file(file);
  EXPECT_EQ(table.substr(0, 24), "well_id,row_id,GR,label\n");
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 1 + 2 * 64);
  EXPECT_EQ(table.substr(table.size() - 2), ",\n");  // the second well is unlabelled
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace kern::data
