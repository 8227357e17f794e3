#include "data/interpretation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "data/segy_write.h"
#include "data/survey_map.h"
#include "data/survey_pieces.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "tests/support/log_capture.h"

namespace kern::data {
namespace {
using Line = Interpretation::Line;
using Values = std::function<float(int64_t row, int64_t column, int64_t sample)>;

// Inlines from 100 in steps of 2, crosslines from 7, 4 ms, 25 m apart.
std::string write_cube(const std::string& path, int64_t inlines, int64_t crosslines, int64_t samples, const Values& at,
                       int first_inline = 100) {
  SegyWriter writer(path,
                    {.inlines = {.first = first_inline, .step = 2, .count = inlines},
                     .crosslines = {.first = 7, .step = 1, .count = crosslines},
                     .samples = samples,
                     .interval = 4000,
                     .spacing = 25},
                    SegyFormat::float32);
  std::vector<float> trace(static_cast<size_t>(samples));
  for (int64_t t = 0; t < inlines * crosslines; ++t) {
    for (int64_t k = 0; k < samples; ++k) trace[size_t(k)] = at(t / crosslines, t % crosslines, k);
    writer.write_trace(t, trace);
  }
  writer.commit();
  return path;
}

// A folder of the test's own.
struct Folder {
  std::filesystem::path path;
  Folder()
      : path(std::filesystem::path(::testing::TempDir()) /
             (std::string("interpretation_") + ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

class Interpreted : public ::testing::Test {
 protected:
  static constexpr int64_t kInlines = 10, kCrosslines = 12, kSamples = 16;
  Interpreted()
      : path_(write_cube(folder / "survey.sgy", kInlines, kCrosslines, kSamples,
                         [](int64_t r, int64_t c, int64_t k) { return float(1000 * r + 50 * c + k); })),
        survey(path_),
        geometry(survey) {}
  Interpretation read(const std::string& labels, std::vector<int> fault_values = {}) const {
    return Interpretation(labels, {}, std::move(fault_values), survey, geometry);
  }
  std::string sticks(const std::string& text) const {
    write_file(folder / "sticks.txt", text);
    return folder / "sticks.txt";
  }
  std::string refusal(const std::string& labels) const {
    try {
      read(labels);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  // "X Y Z stick" of a place of the grid.
  std::string point(double row, double column, double sample, int stick) const {
    const auto w = SurveyMap(survey, geometry)({row, column, sample});
    return std::to_string(w[0]) + " " + std::to_string(w[1]) + " " + std::to_string(w[2]) + " " +
           std::to_string(stick) + "\n";
  }
  static std::vector<int8_t> labels_at(const Interpretation& i, int64_t row, int64_t column) {
    std::vector<int8_t> labels(kSamples);
    i.read(row, column, labels);
    return labels;
  }
  Folder folder;
  std::string path_;
  SegyFile survey;
  SegyGeometry geometry;
};

TEST_F(Interpreted, SegyOfAFewInlines) {
  // Inlines 104 to 110, of which 104 and 108 show a fault of value 3; 2 is something else, -1 was not looked at.
  const std::string labels = write_cube(
      folder / "labels.sgy", 4, kCrosslines, kSamples,
      [](int64_t r, int64_t c, int64_t k) {
        if (c == 0) return -1.0f;
        if (k == 3) return 2.0f;
        return r % 2 == 0 && k == c ? 3.0f : 0.0f;
      },
      104);
  const Interpretation i = read(labels, {3});
  EXPECT_EQ(i.lines(), (std::vector<Line>{{true, 2}, {true, 4}}));
  EXPECT_EQ(i.fault_samples(), 2 * (kCrosslines - 1) - 2);  // where 3 stands at k = 3 the value is 2
  EXPECT_EQ(int64_t(i.faults().size()), i.fault_samples());
  EXPECT_EQ(labels_at(i, 2, 0), std::vector<int8_t>(kSamples, -1));
  EXPECT_EQ(labels_at(i, 3, 5), std::vector<int8_t>(kSamples, -1)) << "an inline without a fault says nothing";
  std::vector<int8_t> want(kSamples, 0);
  want[5] = 1;
  EXPECT_EQ(labels_at(i, 4, 5), want);
  for (const Interpretation::Place& p : i.faults()) EXPECT_EQ(p.column, p.sample);
}

TEST_F(Interpreted, SegyOfAFewCrosslines) {
  const std::string labels = write_cube(folder / "labels.sgy", kInlines, kCrosslines, kSamples,
                                        [](int64_t, int64_t c, int64_t k) { return c == 4 && k > 8 ? 1.0f : 0.0f; });
  const Interpretation i = read(labels);
  EXPECT_EQ(i.lines(), (std::vector<Line>{{false, 4}}));
  EXPECT_EQ(labels_at(i, 3, 4)[9], 1);
  EXPECT_EQ(labels_at(i, 3, 4)[8], 0);
  EXPECT_EQ(labels_at(i, 3, 5), std::vector<int8_t>(kSamples, -1));
}

TEST_F(Interpreted, SticksFollowTheirLines) {
  // One down inline 3, one along crossline 8 that is as flat as it is long, and one between lines.
  const testing::LogCapture log;
  const Interpretation i =
      read(sticks("# made by hand\n" + point(3, 5, 2, 1) + point(3.2, 6, 10, 1) + point(1, 8, 4, 2) +
                  point(7, 8.1, 5, 2) + point(0, 0, 0, 9) + point(6, 6, 6, 9)));
  EXPECT_EQ(i.lines(), (std::vector<Line>{{true, 3}, {false, 8}}));
  // Two traces wide where it is steep, from its first sample to its last.
  for (int64_t k = 0; k < kSamples; ++k) {
    int on = 0;
    for (int64_t c = 0; c < kCrosslines; ++c)
      if (c != 8) on += labels_at(i, 3, c)[size_t(k)] == 1;
    EXPECT_EQ(on > 0, k >= 2 && k <= 10) << k;
    EXPECT_LE(on, 3) << k;
    EXPECT_TRUE(k < 2 || k > 10 || on >= 2) << k;
  }
  // Two samples thick where it is flat.
  for (int64_t r = 1; r <= 7; ++r) {
    const std::vector<int8_t> down = labels_at(i, r, 8);
    EXPECT_GE(std::count(down.begin(), down.end(), 1), 2) << r;
    EXPECT_EQ(down[10], 0);
  }
  EXPECT_EQ(labels_at(i, 8, 8)[4], 0) << "the line counts as a whole";
  EXPECT_EQ(labels_at(i, 6, 6), std::vector<int8_t>(kSamples, -1)) << "the stick between lines is left out";
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_NE(log.lines[0].find("1 of 3 sticks follow neither"), std::string::npos) << log.lines[0];
  EXPECT_EQ(labels_at(i, 3, 8)[15], 0) << "where two lines cross both speak";
}

TEST_F(Interpreted, CharismaAndDepthsBelowZero) {
  const SurveyMap map(survey, geometry);
  const auto row = [&](double r, double c, double k, const std::string& name) {
    const auto w = map({r, c, k});
    return "INLINE-  104 XLINE-  9 " + std::to_string(w[0]) + " " + std::to_string(w[1]) + " " + std::to_string(-w[2]) +
           " " + name + "\n";
  };
  const Interpretation i =
      read(sticks(row(2, 2, 1, "Main 1") + row(2, 4, 9, "Main 1") + row(5, 2, 1, "Main 2") + row(5, 4, 9, "Main 2")));
  EXPECT_EQ(i.lines(), (std::vector<Line>{{true, 2}, {true, 5}}));
  EXPECT_EQ(labels_at(i, 2, 3)[5], 1);
}

TEST_F(Interpreted, PlacesComeBackFromTheWorld) {
  const SurveyMap map(survey, geometry);
  for (const std::array<double, 3> place : {std::array{0.0, 0.0, 0.0}, {3.5, 7.25, 4.5}, {9, 11, 15}}) {
    const auto back = map.place(map(place));
    for (size_t d = 0; d < 3; ++d) EXPECT_NEAR(back[d], place[d], 1e-3);
  }
}

TEST_F(Interpreted, WhatIsWrongIsSaid) {
  const auto contains = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(contains(refusal(folder / "none.txt"), "there is no file")) << refusal(folder / "none.txt");
  EXPECT_TRUE(contains(refusal(sticks("1 2\n")), "line 1: expected a point of a fault stick"));
  EXPECT_TRUE(contains(refusal(sticks("1 2 three 1\n")), "line 1"));
  EXPECT_TRUE(contains(refusal(sticks("# nothing\n")), "holds no fault stick"));
  EXPECT_TRUE(contains(refusal(sticks("9e9 9e9 8 1\n9e9 9e9 12 1\n")), "none of the 2 points"));
  EXPECT_TRUE(contains(refusal(sticks(point(2, 2, 2, 1))), "two points"));
  const auto nothing = [](int64_t, int64_t, int64_t) { return 0.0f; };
  EXPECT_TRUE(
      contains(refusal(write_cube(folder / "empty.sgy", kInlines, kCrosslines, kSamples, nothing)), "shows no fault"));
  EXPECT_TRUE(
      contains(refusal(write_cube(folder / "short.sgy", kInlines, kCrosslines, 5, nothing)), "the survey's samples"));
}

// Every amplitude says where it stands, so that the labels of a piece can be checked voxel by voxel.
TEST_F(Interpreted, PiecesHoldWhatTheirPartMayShow) {
  const auto truth = [](int64_t r, int64_t c, int64_t k) { return (r + c + k) % 7 == 0; };
  const std::string labels = write_cube(folder / "labels.sgy", kInlines, kCrosslines, kSamples,
                                        [&](int64_t r, int64_t c, int64_t k) { return float(truth(r, c, k)); });
  const SurveyPieces pieces({.survey = path_, .labels = labels});
  using Part = SurveyPieces::Part;
  EXPECT_EQ(pieces.lines(Part::training), 8);
  EXPECT_EQ(pieces.lines(Part::validation), 2);
  const double scale = amplitude_scale_of(survey);
  RandomSequence random(3, RandomStream::augment);
  for (const Part part : {Part::training, Part::validation})
    for (int n = 0; n < 40; ++n) {
      const bool lines = n % 2 == 0;
      const SyntheticVolume v = pieces.interpreted_piece(lines ? Block{3, 6, 6} : Block{6, 6, 6}, lines, part, random);
      EXPECT_EQ(v.crosslines, 9);
      EXPECT_EQ(v.samples, 9);
      EXPECT_EQ(v.inlines, lines ? 3 : 9);
      int64_t known = 0;
      for (size_t at = 0; at < v.label.size(); ++at) {
        const double amplitude = double(v.amplitude[at]) * scale;
        ASSERT_LT(std::abs(v.amplitude[at]), 4.9f);  // none is clipped
        const auto code = std::llround(amplitude);
        const int64_t r = code / 1000, c = code % 1000 / 50, k = code % 50;
        const bool mine = (r >= 8) == (part == Part::validation);
        EXPECT_EQ(v.label[at], mine ? int8_t(truth(r, c, k)) : int8_t(-1));
        known += mine;
      }
      EXPECT_GT(known, 0);
    }
  const SyntheticVolume any = SurveyPieces({.survey = path_}).any_piece({6, 6, 6}, false, random);
  EXPECT_EQ(std::count(any.label.begin(), any.label.end(), 0), int64_t(any.label.size()));
  try {
    pieces.expect_room({64, 64, 64}, false);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("give a smaller crop="), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace kern::data
