#include "data/wells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <functional>

#include "data/las.h"
#include "data/wells_synthetic.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"
#include "tests/support/not_numbers.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {

namespace fs = std::filesystem;
using kern::testing::kNaN;

// A folder of its own for each test.
class Wells : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("kern_wells_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path put(const std::string& name, const std::string& content) {
    fs::create_directories((folder_ / name).parent_path());
    write_file(folder_ / name, content);
    return folder_ / name;
  }
  WellsOptions options(std::string label = "") const { return {.path = folder_, .label = std::move(label)}; }
  fs::path folder_;
};

std::string las(const std::string& well, const std::string& curves, const std::string& rows,
                const std::string& uwi = "") {
  return "~V\nVERS. 2.0:\nWRAP. NO:\n~W\nNULL. -999.25:\nWELL. " + well + ":\nUWI. " + uwi + ":\n~C\nDEPT.m:\n" +
         curves + "~A\n" + rows;
}

using kern::testing::error_of;

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i]) && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  return true;
}

TEST_F(Wells, LasFilesOfAFolderComeSortedWithCurvesByAlias) {
  put("b.las", las("B-1", "GAMMA.API:\nFAC.:\n", "10 1 0\n11 -999.25 1\n12 3 -999.25\n", "100/B"));
  put("sub/a.LAS", las("A-1", "FAC.:\nGR.gAPI:\n", "10 2 7\n11 2 8\n"));
  put("notes.txt", "not a well");
  WellsOptions o = options("FACIES|FAC");
  o.curves = {"gr|gamma"};
  const WellSet set = load_wells(o);
  ASSERT_EQ(set.wells.size(), 2u);
  EXPECT_EQ(set.curve_names, std::vector<std::string>{"gr"});
  const Well &b = set.wells[0], &a = set.wells[1];
  EXPECT_EQ(b.id, "B-1");
  EXPECT_EQ(b.uwi, "100/B");
  EXPECT_EQ(b.depth_unit, "m");
  EXPECT_EQ(b.step, 1);
  EXPECT_EQ(b.depth, (std::vector<double>{10, 11, 12}));
  EXPECT_TRUE(same(b.curves[0].values, {1, kNaN, 3}));
  EXPECT_EQ(b.curves[0].unit, "API");
  EXPECT_EQ(b.labels, (std::vector<int>{0, 1, kUnlabelled}));
  EXPECT_EQ(a.labels, (std::vector<int>{2, 2}));
  EXPECT_EQ(set.classes, 3);
  EXPECT_TRUE(set.skipped.empty());
  EXPECT_EQ(set.step, 1);
}

TEST_F(Wells, CodesAreMappedAndUnmappedOnesNamed) {
  put("a.las", las("A", "GR.:\nL.:\n", "1 5 65000\n2 5 30000\n3 5 65030\n4 5 65030\n"));
  put("b.las", las("B", "GR.:\nL.:\n", "1 5 65030\n2 5 -999.25\n3 5 7.5\n"));
  WellsOptions o = options("L");
  o.codes = {{"30000", 0}, {"65000.0", 1}};
  const std::string said = error_of([&] { load_wells(o); });
  EXPECT_SAYS(said, "65030 (3 samples in 2 wells, first in ");
  EXPECT_SAYS(said, "a.las");
  EXPECT_SAYS(said, "7.5 (1 sample in 1 well, first in ");
  EXPECT_SAYS(said, "ignore_unmapped=true");
  o.ignore_unmapped = true;
  const WellSet set = load_wells(o);
  EXPECT_EQ(set.wells[0].labels, (std::vector<int>{1, 0, -1, -1}));
  EXPECT_EQ(set.wells[1].labels, (std::vector<int>{-1, -1, -1}));
  EXPECT_EQ(set.classes, 2);
  ASSERT_EQ(set.unmapped.size(), 2u);
  EXPECT_EQ(set.unmapped[0].code, "65030");
  EXPECT_EQ(set.unmapped[0].samples, 3);
  o.codes = {};  // without a table, 65000 is no class index either
  o.ignore_unmapped = false;
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "name no class index");
}

TEST_F(Wells, CodesMayBeWordsAndMayLeaveOut) {
  put("t.csv", "well,depth,GR,rock\nA,1,5,sand\nA,2,6,shale\nA,3,7,\nA,4,7,none\nA,5,8,void\n");
  WellsOptions o = options("ROCK");
  o.codes = {{"sand", 1}, {"shale", 0}, {"void", -1}};
  EXPECT_EQ(load_wells(o).wells[0].labels, (std::vector<int>{1, 0, -1, -1, -1}));
  o.codes = {{"sand", 1}};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "shale (1 sample");
}

TEST_F(Wells, ContradictoryOptionsAreErrors) {
  put("a.las", las("A", "GR.:\nL.:\n", "1 5 0\n2 5 1\n"));
  WellsOptions o = options("L");
  o.codes = {{"1", 0}, {"1.0", 1}};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "maps 1.0 to class 0 and to class 1");
  o.codes = {{"1", 2}};
  o.classes = 2;
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "maps 1 to class 2, which is not one of the classes 0 .. 1");
  o = options("L");
  o.step = -1;
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "step=-1");
  o = options("L");
  o.curves = {};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "curves is empty");
  o.curves = {"GR", "gr|X"};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "twice");
}

TEST_F(Wells, CurveOrLabelThatNoWellHasIsAnErrorWithAGuess) {
  put("a.las", las("A", "GAMMA.:\nFACIES.:\n", "1 5 0\n2 5 1\n"));
  WellsOptions o = options("FACIES");
  o.curves = {"GAMA"};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "did you mean GAMMA?");
  o.curves = {"GAMMA"};
  o.label = "FACEIS";
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "did you mean FACIES?");
}

TEST_F(Wells, AMissingCurveIsMissingThroughoutOrLeavesTheWellOut) {
  put("a.las", las("A", "GR.:\nNPHI.:\n", "1 5 0.1\n2 5 0.2\n"));
  put("b.las", las("B", "GR.:\n", "1 5\n2 6\n"));
  WellsOptions o = options();
  o.curves = {"GR", "NPHI"};
  const WellSet set = load_wells(o);
  ASSERT_EQ(set.wells.size(), 2u);
  EXPECT_TRUE(same(set.wells[1].curves[1].values, {kNaN, kNaN}));
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_SAYS(to_string(set.notes[0]), "NPHI is missing in 1 of 2 wells (B)");
  o.require_curves = true;
  const WellSet strict = load_wells(o);
  ASSERT_EQ(strict.wells.size(), 1u);
  ASSERT_EQ(strict.skipped.size(), 1u);
  EXPECT_SAYS(strict.skipped[0].sentence, "B has no curve NPHI");
}

TEST_F(Wells, DescendingDepthIsTurnedOverWithCurvesAndLabels) {
  put("a.las", las("A", "GR.:\nL.:\n", "12 3 2\n11 2 1\n10 1 0\n"));
  const WellSet set = load_wells(options("L"));
  EXPECT_EQ(set.wells[0].depth, (std::vector<double>{10, 11, 12}));
  EXPECT_TRUE(same(set.wells[0].curves[0].values, {1, 2, 3}));
  EXPECT_EQ(set.wells[0].labels, (std::vector<int>{0, 1, 2}));
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_SAYS(set.notes[0].sentence, "turned over");
}

TEST_F(Wells, BadFilesAreNamedAndSkippedOrThrownWhenStrict) {
  const std::string good = las("A", "GR.:\n", "1 5\n2 6\n3 7\n");
  put("good.las", good);
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"binary.las", std::string("\x7f\x45\x4c\x46\0\1\2\3\0\0\0\0garbage\xff\xfe", 21)},
      {"empty.las", ""},
      {"no_data.las", las("A", "GR.:\n", "")},
      {"no_a.las", good.substr(0, good.find("~A"))},
      {"wide.las", las("A", "GR.:\n", "1 5\n2 6 7\n")},
      {"narrow.las", las("A", "GR.:\n", "1 5\n2\n3 4\n")},
      {"twice.las", las("A", "GR.:\n", "1 5\n1 6\n1 7\n")},
      {"zigzag.las", las("A", "GR.:\n", "1 5\n3 6\n2 7\n4 7\n")},
      {"one.las", las("A", "GR.:\n", "1 5\n")},
      {"quote.csv", "well,GR\nA,\"5\nA,6\n"},
      {"header.csv", "well,GR\n"},
      {"step.las", las("A", "GR.:\n", "1 5\n3 6\n5 7\n")},
  };
  for (const auto& [name, content] : bad) {
    const fs::path file = put(name, content);
    const WellSet set = load_wells(options());
    ASSERT_EQ(set.wells.size(), 1u) << name;
    ASSERT_EQ(set.skipped.size(), 1u) << name;
    EXPECT_EQ(set.skipped[0].file, file.string());
    EXPECT_SAYS(set.skipped[0].sentence, name);
    WellsOptions strict = options();
    strict.strict = true;
    EXPECT_SAYS(error_of([&] { load_wells(strict); }), name);
    if (name != "step.las") {  // alone, it is its own majority
      WellsOptions alone = options();
      alone.path = file;
      EXPECT_SAYS(error_of([&] { load_wells(alone); }), name);
    }
    fs::remove(file);
  }
}

TEST_F(Wells, SentencesOfDepthAndStep) {
  put("a.las", las("A", "GR.:\n", "1 5\n2 6\n3 7\n"));
  put("b.las", las("B", "GR.:\n", "1 5\n1.5 6\n2 7\n"));
  put("c.las", las("C", "GR.:\n", "1 5\n2 6\n2 7\n2 8\n"));
  put("d.las", las("D", "GR.:\n", "1 5\n2 6\n3.001 6\n"));
  const WellSet set = load_wells(options());
  ASSERT_EQ(set.wells.size(), 3u);
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_SAYS(to_string(set.skipped[0]), "sampled every 0.5 m, most others every 1 m: set step=1");
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_SAYS(set.notes[0].sentence,
              "the depth 2 stands twice, and 1 more like it; the first row of each depth is kept");
  const Well& c = set.wells[1];
  EXPECT_EQ(c.depth, (std::vector<double>{1, 2}));
  EXPECT_EQ(c.curves[0].values, (std::vector<float>{5, 6}));
}

// The same well in metres and in feet is the same well: half a foot is 0.1524 m.
TEST_F(Wells, StepsInFeetAndMetres) {
  EXPECT_EQ(depth_unit_of("FEET"), "ft");
  EXPECT_EQ(depth_unit_of(" M."), "m");
  EXPECT_EQ(depth_unit_of("s"), "");
  EXPECT_DOUBLE_EQ(in_depth_unit(0.5, "ft", "M"), 0.1524);
  EXPECT_DOUBLE_EQ(in_depth_unit(0.1524, "m", "ft"), 0.5);
  EXPECT_DOUBLE_EQ(in_depth_unit(0.5, "", "m"), 0.5);
  std::string metres = "~W\nWELL. M :\n~C\nDEPT.M :\nGR. :\n~A\n", feet = "~W\nWELL. F :\n~C\nDEPT.FT :\nGR. :\n~A\n",
              fine = "~W\nWELL. Q :\n~C\nDEPT.ft :\nGR. :\n~A\n";
  for (int i = 0; i < 20; ++i) {
    metres += text(0.1524 * i, ' ', i, '\n');
    feet += text(300 + 0.5 * i, ' ', i, '\n');
  }
  for (int i = 0; i < 40; ++i) fine += text(300 + 0.25 * i, ' ', i, '\n');
  put("a.las", metres);
  put("b.las", metres);
  put("f.las", feet);
  put("q.las", fine);
  WellSet set = load_wells(options());
  EXPECT_EQ(set.wells.size(), 3u);
  EXPECT_EQ(set.step_unit, "m");
  EXPECT_NEAR(set.step, 0.1524, 1e-9);
  ASSERT_EQ(set.skipped.size(), 1u);
  EXPECT_SAYS(to_string(set.skipped[0]), "sampled every 0.25 ft, most others every 0.1524 m");
  WellsOptions o = options();
  o.step = 0.1524, o.step_unit = "m";
  set = load_wells(o);
  ASSERT_EQ(set.wells.size(), 4u);
  EXPECT_EQ(set.wells[2].length(), 20);               // in feet, as it was
  EXPECT_NEAR(set.wells[3].step, 0.5, 1e-9);          // in its own unit
  EXPECT_EQ(set.wells[3].curves[0].values[1], 2.0f);  // every second sample
  ASSERT_EQ(set.notes.size(), 2u);                    // and a second well M
  EXPECT_SAYS(set.notes[0].sentence, "Q is resampled from step 0.25 ft to 0.1524 m");
}

// "depth" is no curve of the file: it is there whatever the file calls it, and in one unit for all wells.
TEST_F(Wells, TheDepthMayBeACurve) {
  put("m.las", las("M", "GR.:\n", "300.0 1\n300.5 2\n301.0 3\n"));
  std::string feet = las("F", "GR.:\n", "");
  feet.replace(feet.find("DEPT.m"), 6, "DEPT.ft");
  for (int i = 0; i < 5; ++i) feet += text(1000 + 1.640419948 * i, ' ', i, '\n');
  put("f.las", feet);
  put("t.csv", "well_id,depth_m,GR\nT,502,1\nT,501.5,2\nT,501,3\n");
  WellsOptions o = options();
  o.curves = {"GR", "depth"};
  const WellSet set = load_wells(o);
  ASSERT_EQ(set.wells.size(), 3u);
  EXPECT_EQ(set.curve_names, (std::vector<std::string>{"GR", "depth"}));
  EXPECT_EQ(set.step_unit, "m");
  EXPECT_NEAR(set.wells[0].curves[1].values[4], (1000 + 4 * 1.640419948) * 0.3048, 1e-3);  // in feet in its file
  EXPECT_EQ(set.wells[1].curves[1].values, (std::vector<float>{300, 300.5f, 301}));
  EXPECT_EQ(set.wells[2].curves[1].values, (std::vector<float>{501, 501.5f, 502}));  // turned over with the depth
  o.curves = {"depth"};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "names the depth alone");
  o.curves = {"GR", "depth"};
  put("none.csv", "well_id,GR\nN,1\nN,2\n");
  EXPECT_SAYS(to_string(load_wells(o).skipped.at(0)), "names the depth, and there is no column");
}

TEST_F(Wells, AWellOfTwoSamplesLoads) {
  put("a.las", las("A", "GR.:\nL.:\n", "1 5 0\n2 6 0\n"));
  EXPECT_EQ(load_wells(options("L")).wells[0].length(), 2);
}

TEST_F(Wells, ALabelCurveFullOfNullLoadsAsUnlabelled) {
  put("a.las", las("A", "GR.:\nL.:\n", "1 5 -999.25\n2 6 -999.25\n"));
  const WellSet set = load_wells(options("L"));
  EXPECT_EQ(set.wells[0].labels, (std::vector<int>{-1, -1}));
  EXPECT_EQ(set.classes, 0);
}

TEST_F(Wells, HugeValuesAreMissingAndSaid) {
  put("a.las", las("A", "GR.:\n", "1 1e30\n2 NaN\n3 7\n4 -1e30\n5 8\n"));
  const WellSet set = load_wells(options());
  EXPECT_TRUE(same(set.wells[0].curves[0].values, {kNaN, kNaN, 7, kNaN, 8}));
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_SAYS(set.notes[0].sentence, "2 values of GR beyond 1e20");
}

TEST_F(Wells, NullValuesOfTheOptionsAreMissing) {
  put("a.csv", "well_id,GR,L\nA,-9999,0\nA,5,-1\nA,6,1\n");
  WellsOptions o = options("L");
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "-1 (1 sample");
  o.null_values = {-9999, -1};
  const WellSet set = load_wells(o);
  EXPECT_TRUE(same(set.wells[0].curves[0].values, {kNaN, 5, 6}));
  EXPECT_EQ(set.wells[0].labels, (std::vector<int>{0, -1, 1}));
}

TEST_F(Wells, TableRowsOfAWellNeedNotStandTogether) {
  put("t.csv", "well_id,depth_m,GR,label\nB,1,5,0\nA,7,1,1\nB,2,6,0\nA,8,2,\nC,1,1,\nC,2,1,\n");
  const WellSet set = load_wells(options("label"));
  ASSERT_EQ(set.wells.size(), 3u);
  EXPECT_EQ(set.wells[0].id, "B");
  EXPECT_EQ(set.wells[0].depth_unit, "m");
  EXPECT_EQ(set.wells[1].depth, (std::vector<double>{7, 8}));
  EXPECT_EQ(set.wells[1].labels, (std::vector<int>{1, -1}));
  EXPECT_TRUE(set.wells[2].labels.empty());  // nobody labelled it
}

TEST_F(Wells, ABadWellOfATableIsSkippedAlone) {
  put("t.csv", "well_id,GR\nA,1\nA,2\nB,x\nB,2\nC,5\nC,6\nD,5\n");
  const WellSet set = load_wells(options());
  ASSERT_EQ(set.wells.size(), 2u);
  ASSERT_EQ(set.skipped.size(), 2u);
  EXPECT_SAYS(set.skipped[0].sentence, "line 4");
  EXPECT_SAYS(set.skipped[1].sentence, "1 sample");
}

TEST_F(Wells, ColumnsThatTheUserNamedMustBeThere) {
  put("t.csv", "hole,GR\nA,1\nA,2\n");
  const WellSet one = load_wells(options());
  EXPECT_EQ(one.wells.size(), 1u);
  EXPECT_SAYS(to_string(one.notes.at(0)), "set well_column");
  WellsOptions o = options();
  o.well_column = "borehole";
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "no column borehole (well_column). The columns are: hole, GR");
  o.well_column = "HOLE";
  o.depth_column = "z";
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "no column z (depth_column)");
}

TEST_F(Wells, EqualNamesGetIdsOfTheirOwn) {
  put("a.las", las("X", "GR.:\n", "1 5\n2 6\n"));
  put("b.las", las("X", "GR.:\n", "1 5\n2 7\n"));
  put("c/b.las", las("X", "GR.:\n", "1 5\n2 7\n"));
  const WellSet set = load_wells(options());
  EXPECT_EQ(set.wells[0].id, "X");
  EXPECT_EQ(set.wells[1].id, "X (b)");
  EXPECT_EQ(set.wells[2].id, "X (b) 2");
  EXPECT_EQ(set.wells[1].name, "X");
}

TEST_F(Wells, PathsThatCannotBeUsed) {
  WellsOptions o = options();
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "holds no .las, .csv");
  o.path = folder_ / "nowhere";
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "does not exist");
  o.path = put("a.txt", "x");
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "neither .las nor .csv");
}

Well line(std::vector<double> depth, std::vector<float> values, std::vector<int> labels, double step) {
  Well w{.id = "w", .source = "w.las", .step = step, .depth = std::move(depth), .labels = std::move(labels)};
  w.curves.push_back({.name = "GR", .values = std::move(values)});
  return w;
}

TEST(Resample, CurvesAreLinearAndLabelsNearest) {
  Well w = line({0, 1, 2, 3}, {0, 10, 20, 0}, {0, 1, 2, 3}, 1);
  resample(w, 0.5);
  EXPECT_EQ(w.depth, (std::vector<double>{0, 0.5, 1, 1.5, 2, 2.5, 3}));
  EXPECT_TRUE(same(w.curves[0].values, {0, 5, 10, 15, 20, 10, 0}));
  EXPECT_EQ(w.labels, (std::vector<int>{0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(w.step, 0.5);
}

TEST(Resample, TheGridIsWholeMultiplesOfTheStep) {
  Well w = line({0.3, 1.3, 2.3}, {3, 13, 23}, {}, 1);
  resample(w, 1);
  EXPECT_EQ(w.depth, (std::vector<double>{1, 2}));
  EXPECT_FLOAT_EQ(w.curves[0].values[0], 10);
  EXPECT_FLOAT_EQ(w.curves[0].values[1], 20);
  EXPECT_TRUE(w.labels.empty());
}

TEST(Resample, NothingIsInventedAcrossGapsAndMissingValues) {
  Well w = line({0, 1, 2, 6, 7, 8}, {0, 1, 2, 6, kNaN, 8}, {0, 0, 0, 1, 1, 1}, 1);
  resample(w, 0.5);
  ASSERT_EQ(w.depth.size(), 17u);
  EXPECT_TRUE(
      same(w.curves[0].values, {0, .5, 1, 1.5, 2, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, 6, kNaN, kNaN, kNaN, 8}));
  EXPECT_EQ(w.labels, (std::vector<int>{0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1}));
}

TEST(Resample, ACoarserStepAndTheSameStepKeepTheSamplesTheyMeet) {
  Well w = line({10, 10.5, 11, 11.5, 12}, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 4}, 0.5);
  Well again = w;
  resample(w, 1);
  EXPECT_EQ(w.depth, (std::vector<double>{10, 11, 12}));
  EXPECT_TRUE(same(w.curves[0].values, {1, 3, 5}));
  EXPECT_EQ(w.labels, (std::vector<int>{0, 2, 4}));
  resample(again, 0.5);
  EXPECT_TRUE(same(again.curves[0].values, {1, 2, 3, 4, 5}));
}

TEST(Resample, StepsThatMakeNoSenseAreRefused) {
  Well w = line({0, 1}, {0, 1}, {}, 1), far = line({0, 1, 1e9}, {0, 1, 2}, {}, 1);
  EXPECT_SAYS(error_of([&] { resample(w, 100); }), "holds no 2 samples");
  EXPECT_SAYS(error_of([&] { resample(far, 1); }), "larger step");
  EXPECT_SAYS(error_of([&] { resample(w, 0); }), "step=0");
  EXPECT_EQ(w.length(), 2);
}

TEST_F(Wells, StepResamplesAllWellsThatNeedIt) {
  put("a.las", las("A", "GR.:\n", "1.1 5\n2.1 6\n3.1 7\n"));
  put("b.las", las("B", "GR.:\n", "1 5\n1.5 6\n2 7\n"));
  put("c.las", las("C", "GR.:\n", "1 5\n2 6\n5 7\n6 7\n7 8\n"));
  WellsOptions o = options();
  o.step = 1;
  const WellSet set = load_wells(o);
  EXPECT_EQ(set.wells[0].depth, (std::vector<double>{1.1, 2.1, 3.1}));  // even at this step already
  EXPECT_EQ(set.wells[1].depth, (std::vector<double>{1, 2}));
  EXPECT_TRUE(same(set.wells[2].curves[0].values, {5, 6, kNaN, kNaN, 7, 7, 8}));
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_SAYS(set.notes[0].sentence, "B is resampled from step 0.5 m to 1 m");
}

TEST(NearestSamples, FindTheirWayBackToTheRowsOfAFile) {
  const Well w = line({1, 2, 3}, {0, 0, 0}, {}, 1);
  const double nan = std::nan("");
  EXPECT_EQ(nearest_samples(w, {3.4, 2.5, 2.51, 0.6, 0.4, nan, 9}, 0.5),
            (std::vector<int64_t>{2, 1, 2, 0, -1, -1, -1}));
}

TEST_F(Wells, SyntheticWellsComeBackFromLasAndCsvAsTheyWereMade) {
  const SyntheticWells made{.wells = 6, .samples = 200, .labelled_fraction = 0.5, .seed = 4};
  const auto memory = synthetic_wells(made);
  write_synthetic_las(folder_ / "las", made);
  write_synthetic_csv(folder_ / "table.csv", made);
  WellsOptions o = options("FACIES|label");
  o.path = folder_ / "las";
  const WellSet las_set = load_wells(o);
  o.path = folder_ / "table.csv";
  const WellSet csv_set = load_wells(o);
  ASSERT_EQ(las_set.wells.size(), 6u);
  ASSERT_EQ(csv_set.wells.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(las_set.wells[i].id, memory[i].id);
    EXPECT_EQ(las_set.wells[i].depth, memory[i].depth);
    for (const WellSet* set : {&las_set, &csv_set}) {
      EXPECT_EQ(set->wells[i].curves[0].values, memory[i].curves[0].values);
      EXPECT_EQ(set->wells[i].labels, memory[i].labels);
    }
  }
}

const fs::path kSharedWells = testing::source_file("../shared/data/wells");

TEST(RealWells, Force2020) {
  if (!fs::exists(kSharedWells / "force2020")) GTEST_SKIP() << "the FORCE 2020 wells are not here";
  WellsOptions o{.path = kSharedWells / "force2020",
                 .curves = {"GR", "RHOB", "NPHI", "DTC", "RDEP"},
                 .label = "FORCE_2020_LITHOFACIES_LITHOLOGY"};
  EXPECT_SAYS(error_of([&] { load_wells(o); }), "65000 (");
  o.codes = {{"65000", 0}, {"30000", 1}, {"65030", 2}, {"70000", 3}, {"80000", 4},  {"99000", 5},
             {"70032", 6}, {"88000", 7}, {"90000", 8}, {"74000", 9}, {"86000", 10}, {"93000", 11}};
  const WellSet set = load_wells(o);
  ASSERT_EQ(set.wells.size(), 10u);
  EXPECT_TRUE(set.skipped.empty());
  EXPECT_EQ(set.classes, 12);
  EXPECT_NEAR(set.step, 0.152, 1e-6);
  int64_t samples = 0, labelled = 0;
  for (const Well& w : set.wells) {
    EXPECT_TRUE(evenly_sampled(w)) << w.id;
    samples += w.length();
    for (const int label : w.labels) labelled += label != kUnlabelled;
  }
  EXPECT_EQ(samples, 115315);
  EXPECT_GT(labelled, 70000);
}

TEST(RealWells, Mannville) {
  const fs::path file = kSharedWells / "mannville_gr/mannville_gr_zones.csv.gz";
  if (!fs::exists(file)) GTEST_SKIP() << "the Mannville table is not here";
  const std::clock_t begin = std::clock();  // processor time: the machine may be busy
  const WellSet set = load_wells({.path = file, .label = "label"});
#if defined(NDEBUG)
  EXPECT_LT(double(std::clock() - begin) / CLOCKS_PER_SEC, 3) << "seconds for 880 thousand rows";
#else
  (void)begin;
#endif
  ASSERT_EQ(set.wells.size(), 1000u);
  EXPECT_TRUE(set.skipped.empty());
  EXPECT_EQ(set.classes, 5);
  EXPECT_EQ(set.step, 0.25);
  int64_t samples = 0;
  for (const Well& w : set.wells) samples += w.length();
  EXPECT_EQ(samples, 877565);
  EXPECT_EQ(set.wells[0].uwi, "AA-09-28-087-07W4-0");
}

}  // namespace
}  // namespace kern::data
