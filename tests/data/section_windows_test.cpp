#include "data/section_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "data/fault_cubes.h"
#include "data/fault_sections.h"
#include "data/segy_write.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

using Part = SectionWindows::Part;

// Every amplitude says where it stands: 10000 inline + 100 crossline + sample, from 0.
std::string cube(int64_t inlines, int64_t crosslines, int64_t samples) {
  const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string path = (std::filesystem::path(::testing::TempDir()) / (test + ".sgy")).string();
  SegyWriter writer(path,
                    {.inlines = {.first = 1, .step = 1, .count = inlines},
                     .crosslines = {.first = 1, .step = 1, .count = crosslines},
                     .samples = samples,
                     .interval = 2000},
                    SegyFormat::float32);
  std::vector<float> trace(static_cast<size_t>(samples));
  for (int64_t t = 0; t < inlines * crosslines; ++t) {
    for (int64_t k = 0; k < samples; ++k)
      trace[size_t(k)] = float(10000 * (t / crosslines) + 100 * (t % crosslines) + k);
    writer.write_trace(t, trace);
  }
  writer.commit();
  return path;
}

// Without faults a window is the file itself, but for its scale.
SyntheticSeismic plain(int64_t traces, int64_t samples) {
  SyntheticSeismic o{.crosslines = traces, .samples = samples, .seed = 5};
  o.faults = {0, 0};
  return o;
}

// What the file holds where a window begins, found by undoing the scale.
struct Place {
  int64_t inline_, crossline, sample;
};
Place first_of(const SyntheticVolume& v, double deviation, double median) {
  const auto at = std::llround(double(v.amplitude.front()) * deviation + median);
  return {at / 10000, at % 10000 / 100, at % 100};
}
// From trace to trace of an inline it is 100 in the file.
double deviation_of(const SyntheticVolume& v) {
  const double across = double(v.amplitude[size_t((v.crosslines - 1) * v.samples)]) - double(v.amplitude[0]);
  return double(100 * (v.crosslines - 1)) / across;
}

double median_of(int64_t inlines, int64_t crosslines, int64_t samples) {
  std::vector<double> all;
  for (int64_t i = 0; i < inlines; ++i)
    for (int64_t x = 0; x < crosslines; ++x)
      for (int64_t k = 0; k < samples; ++k) all.push_back(double(10000 * i + 100 * x + k));
  const auto middle = all.begin() + ptrdiff_t(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

TEST(SectionWindows, TrainingAndValidationShareNoTrace) {
  const SectionWindows windows(cube(10, 12, 16));
  const double median = median_of(10, 12, 16);
  std::set<int64_t> training, validation;
  for (int64_t i = 0; i < 60; ++i) {
    const auto first = [&](Part part, int64_t traces) {
      const SyntheticVolume v = windows.window(plain(traces, 8), i, part);
      EXPECT_EQ(int64_t(v.amplitude.size()), traces * 8);
      return first_of(v, deviation_of(v), median).inline_;
    };
    training.insert(first(Part::training, 10));  // inlines alone are as wide
    validation.insert(first(Part::validation, 10));
  }
  EXPECT_EQ(training, (std::set<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(validation, (std::set<int64_t>{8, 9}));
}

TEST(SectionWindows, FewInlinesGiveTheirLastCrosslines) {
  const SectionWindows windows(cube(1, 40, 16));
  const double median = median_of(1, 40, 16);
  for (int64_t i = 0; i < 40; ++i) {
    const SyntheticVolume t = windows.window(plain(8, 8), i, Part::training),
                          v = windows.window(plain(8, 8), i, Part::validation);
    EXPECT_LE(first_of(t, deviation_of(t), median).crossline + 8, 32);
    EXPECT_EQ(first_of(v, deviation_of(v), median).crossline, 32);
  }
  EXPECT_EQ(windows.interval(4000), 2000);
}

TEST(SectionWindows, RoomIsAskedForBeforehand) {
  const std::string path = cube(1, 40, 16);
  const auto windows = std::make_shared<SectionWindows>(path);
  const auto refusal = [&](const SyntheticSeismic& options, Part part) -> std::string {
    try {
      windows->expect_room(options, part);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(plain(9, 8), Part::training), "");
  const std::string words = refusal(plain(9, 8), Part::validation);
  EXPECT_NE(words.find("the fifth that validates"), std::string::npos) << words;
  EXPECT_NE(words.find("1 inlines x 8 crosslines x 16 samples"), std::string::npos) << words;
  EXPECT_NE(refusal(plain(8, 17), Part::training), "");
  SyntheticSeismic cube_of = plain(8, 8);
  cube_of.inlines = 2;
  EXPECT_NE(refusal(cube_of, Part::training), "");
  EXPECT_THROW(FaultSections({.synthetic = plain(41, 8), .windows = windows}), Error);
}

TEST(SectionWindows, WindowsMayBeCubes) {
  const SectionWindows windows(cube(12, 14, 16));
  SyntheticSeismic o = plain(8, 8);
  o.inlines = 3;
  bool along_inlines = false, along_crosslines = false;
  for (int64_t i = 0; i < 20; ++i) {
    const SyntheticVolume v = windows.window(o, i);
    ASSERT_EQ(v.amplitude.size(), size_t(3 * 8 * 8));
    // Steps of the file's amplitudes from trace to trace, line to line and sample to sample.
    const double step = double(v.amplitude[1]) - double(v.amplitude[0]);
    const auto trace = std::llround((double(v.amplitude[8]) - double(v.amplitude[0])) / step),
               line = std::llround((double(v.amplitude[64]) - double(v.amplitude[0])) / step);
    along_inlines |= trace < 150 && line > 5000, along_crosslines |= trace > 5000 && line < 150;
  }
  EXPECT_TRUE(along_inlines && along_crosslines);
  o.inlines = 13, o.crosslines = 13;
  EXPECT_THROW(windows.expect_room(o, Part::whole), Error);
  o.inlines = 4, o.crosslines = 8, o.samples = 12, o.faults = {2, 2}, o.least_throw = 0, o.throw_ = {5, 5};
  const FaultCubes cubes({.synthetic = o,
                          .windows = std::make_shared<SectionWindows>(cube(24, 20, 16)),
                          .crop = {4, 6, 8},
                          .cubes = 6,
                          .batch = 2});
  int64_t faults = 0;
  for (int64_t i = 0; i < cubes.size(); ++i) {
    const CubeBatch b = cubes.batch(cubes.epoch(0), i);
    EXPECT_EQ(b.inputs.size(), size_t(2 * 4 * 6 * 8));
    faults += std::count(b.labels.begin(), b.labels.end(), 1);
  }
  EXPECT_GT(faults, 0);
}

TEST(SectionWindows, BatchesComeFromTheFile) {
  const auto windows = std::make_shared<SectionWindows>(cube(10, 24, 32));
  SyntheticSeismic options{.crosslines = 16, .samples = 24, .seed = 5};
  options.faults = {1, 1}, options.throw_ = {6, 6}, options.length = {1, 1};
  const SectionOptions o{.synthetic = options, .windows = windows, .part = Part::training, .sections = 6, .batch = 3};
  const FaultSections a(o), b(o);
  const SectionBatch first = a.batch(a.epoch(2), 1);
  EXPECT_EQ(first.inputs, b.batch(b.epoch(2), 1).inputs);
  EXPECT_EQ(first.labels, b.batch(b.epoch(2), 1).labels);
  EXPECT_NE(first.inputs, a.batch(a.epoch(1), 1).inputs);
  EXPECT_GT(std::count(first.labels.begin(), first.labels.end(), 1), 0);
  FaultSections made({.synthetic = options, .sections = 6, .batch = 3});
  EXPECT_NE(first.inputs, made.batch(made.epoch(2), 1).inputs);
}

}  // namespace
}  // namespace kern::data
