#include "data/wells_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "kernels/common/error.h"

namespace kern::data {
namespace {

// Sample i of well w holds 1000 w + i, and so does its label.
std::vector<Well> numbered(const std::vector<int64_t>& lengths) {
  std::vector<Well> wells;
  for (size_t w = 0; w < lengths.size(); ++w) {
    Well well{.id = std::to_string(w)};
    well.curves.push_back({.name = "GR"});
    for (int64_t i = 0; i < lengths[w]; ++i) {
      well.depth.push_back(double(i));
      well.curves[0].values.push_back(float(1000 * int64_t(w) + i) / 100000);
      well.labels.push_back(int(1000 * int64_t(w) + i));
    }
    wells.push_back(std::move(well));
  }
  return wells;
}

const Normalisation kPlain{.curves = {{.name = "GR"}}, .mask = true};

std::vector<int64_t> all(const std::vector<Well>& wells) {
  std::vector<int64_t> which(wells.size());
  std::iota(which.begin(), which.end(), 0);
  return which;
}

WellBatches batches_of(const std::vector<Well>& wells, const BatchOptions& options) {
  return {wells, all(wells), kPlain, options};
}

// What holds for every batch: samples stand where wells, starts and lengths say, and the rest is padding.
void check_batch(const WellBatch& b) {
  ASSERT_EQ(b.inputs.size(), size_t(b.N * b.L * b.C));
  ASSERT_EQ(b.labels.size(), size_t(b.N * b.L));
  for (int64_t n = 0; n < b.N; ++n)
    for (int64_t l = 0; l < b.L; ++l) {
      const size_t at = size_t(n * b.L + l);
      if (l < b.lengths[size_t(n)]) {
        const int64_t expected = 1000 * b.wells[size_t(n)] + b.starts[size_t(n)] + l;
        ASSERT_EQ(b.labels[at], expected);
        ASSERT_EQ(b.inputs[2 * at], float(expected) / 100000);
        ASSERT_EQ(b.inputs[2 * at + 1], 1);
      } else {
        ASSERT_EQ(b.labels[at], kUnlabelled);
        ASSERT_EQ(b.inputs[2 * at], 0);
        ASSERT_EQ(b.inputs[2 * at + 1], 0);
      }
    }
}

TEST(WellBatches, InOrderEverySampleComesOnce) {
  const auto wells = numbered({10, 3, 17, 8});
  for (const int64_t window : {0, 1, 4, 8, 100}) {
    const auto batches = batches_of(wells, {.batch = 3, .window = window, .shuffle = false});
    const auto epoch = batches.epoch(0);
    std::map<int, int> times;
    for (int64_t i = 0; i < batches.size(); ++i) {
      const WellBatch b = batches.batch(epoch, i);
      check_batch(b);
      EXPECT_TRUE(window == 0 || b.L == std::min<int64_t>(window, 17)) << "no longer than the longest well";
      for (const int label : b.labels) ++times[label];
    }
    times.erase(kUnlabelled);
    EXPECT_EQ(times.size(), 38u) << "window " << window;
    for (const auto& [label, n] : times) EXPECT_EQ(n, 1);
  }
}

TEST(WellBatches, ShuffledWholeWellsComeOnceAnEpochInSimilarLengths) {
  std::vector<int64_t> lengths;
  for (int i = 0; i < 60; ++i) lengths.push_back(10 + (i * 37) % 60);
  const auto wells = numbered(lengths);
  const auto batches = batches_of(wells, {.batch = 4, .seed = 1});
  ASSERT_EQ(batches.size(), 15);
  const auto epoch = batches.epoch(0);
  std::map<int64_t, int> times;
  int64_t padded = 0, samples = 0;
  for (int64_t i = 0; i < batches.size(); ++i) {
    const WellBatch b = batches.batch(epoch, i);
    check_batch(b);
    for (const int64_t w : b.wells) ++times[w];
    padded += b.N * b.L;
    samples += std::accumulate(b.lengths.begin(), b.lengths.end(), int64_t(0));
  }
  EXPECT_EQ(times.size(), 60u);
  for (const auto& [well, n] : times) EXPECT_EQ(n, 1);
  EXPECT_LT(double(padded) / double(samples), 1.15);
}

TEST(WellBatches, OrderAndWindowsDependOnSeedAndEpochAlone) {
  const auto wells = numbered({500, 700, 300, 900, 40});
  const auto a = batches_of(wells, {.batch = 4, .window = 64, .seed = 5}),
             b = batches_of(wells, {.batch = 4, .window = 64, .seed = 5});
  const auto c = batches_of(wells, {.batch = 4, .window = 64, .seed = 6});
  b.batch(b.epoch(0), 1);  // asking for other things first changes nothing
  const auto epoch = a.epoch(3);
  for (int64_t i = a.size() - 1; i >= 0; --i) {
    const WellBatch x = a.batch(epoch, i), y = b.batch(b.epoch(3), i);
    check_batch(x);
    EXPECT_EQ(x.inputs, y.inputs);
    EXPECT_EQ(x.labels, y.labels);
  }
  EXPECT_NE(a.batch(a.epoch(0), 0).labels, a.batch(a.epoch(1), 0).labels);
  EXPECT_NE(a.batch(a.epoch(0), 0).labels, c.batch(c.epoch(0), 0).labels);
}

TEST(WellBatches, RandomWindowsReachEverySample) {
  const auto wells = numbered({100});
  const auto batches = batches_of(wells, {.batch = 4, .window = 16});
  EXPECT_EQ(batches.windows(), 7);
  std::vector<int> seen(100, 0);
  for (int64_t e = 0; e < 60; ++e) {
    const auto epoch = batches.epoch(e);
    for (int64_t i = 0; i < batches.size(); ++i)
      for (const int label : batches.batch(epoch, i).labels) ++seen.at(size_t(label));  // a long well is never padded
  }
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int n) { return n > 0; }));
}

TEST(WellBatches, RandomWindowsHoldLabels) {
  auto wells = numbered({1000, 1000, 1000});
  for (size_t i = 0; i < 1000; ++i) {
    if (i < 400 || i > 430) wells[0].labels[i] = kUnlabelled;  // shorter than the window
    if (i < 900) wells[1].labels[i] = kUnlabelled;
    wells[2].labels[i] = kUnlabelled;  // nothing at all: any window will do
  }
  const auto batches = batches_of(wells, {.batch = 8, .window = 64});
  for (int64_t e = 0; e < 5; ++e) {
    const auto epoch = batches.epoch(e);
    for (int64_t i = 0; i < batches.size(); ++i) {
      const WellBatch b = batches.batch(epoch, i);
      for (int64_t n = 0; n < b.N; ++n) {
        const auto begin = b.labels.begin() + n * b.L;
        const auto labelled = std::count_if(begin, begin + b.L, [](int label) { return label != kUnlabelled; });
        EXPECT_EQ(labelled, b.wells[size_t(n)] == 0 ? 31 : b.wells[size_t(n)] == 1 ? 64 : 0);
      }
    }
  }
}

TEST(WellBatches, AugmentationRepeatsByEpochAndSparesWhatIsMissing) {
  auto wells = numbered({40, 40});
  wells[0].curves[0].values[7] = std::nanf("");
  const BatchOptions plain{.batch = 2, .shuffle = false};
  BatchOptions options = plain;
  options.augmentation = {.gain = 0.2, .shift = 0.1, .noise = 0.05};
  const WellBatches bare = batches_of(wells, plain), source = batches_of(wells, options);
  const auto before = bare.batch(bare.epoch(0), 0), a = source.batch(source.epoch(0), 0),
             again = source.batch(source.epoch(0), 0), next = source.batch(source.epoch(1), 0);
  EXPECT_EQ(a.inputs, again.inputs);
  EXPECT_NE(a.inputs, next.inputs);
  EXPECT_EQ(a.labels, before.labels);
  EXPECT_EQ(a.inputs[7 * 2], 0) << "a missing value stays missing";
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(a.inputs[2 * i + 1], before.inputs[2 * i + 1]) << "the mask is left alone";
    EXPECT_LE(std::abs(a.inputs[2 * i] - before.inputs[2 * i]), 0.2f * 0.4f + 0.1f + 6 * 0.05f);
  }
  options.augmentation.noise = -1;
  EXPECT_THROW(batches_of(wells, options), Error);
}

TEST(WellBatches, StretchedSamplesTakeTheirLabelsAlong) {
  const auto wells = numbered({200, 200});
  BatchOptions options{.batch = 2, .shuffle = false};
  options.augmentation = {.stretch = 0.5};
  const WellBatches source = batches_of(wells, options);
  const auto a = source.batch(source.epoch(0), 0), again = source.batch(source.epoch(0), 0),
             next = source.batch(source.epoch(1), 0);
  EXPECT_EQ(a.inputs, again.inputs);
  EXPECT_EQ(a.labels, again.labels);
  EXPECT_NE(a.labels, next.labels);
  int64_t labelled = 0;
  for (size_t i = 0; i < a.labels.size(); ++i) {
    const int64_t begin = i < 200 ? 0 : 1000;
    if (a.labels[i] == kUnlabelled) {
      EXPECT_EQ(a.inputs[2 * i], 0);
      EXPECT_EQ(a.inputs[2 * i + 1], 0);
      continue;
    }
    ++labelled;
    EXPECT_TRUE(a.labels[i] >= begin && a.labels[i] < begin + 200);
    EXPECT_NEAR(a.inputs[2 * i] * 100000, float(a.labels[i]), 0.51);
  }
  EXPECT_GT(labelled, 250);
  options.augmentation = {.hide = 0.25};
  const WellBatches hiding = batches_of(wells, options);
  const auto hidden = hiding.batch(hiding.epoch(0), 0);
  EXPECT_EQ(hidden.labels, batches_of(wells, {.batch = 2, .shuffle = false}).batch(hiding.epoch(0), 0).labels);
  int64_t zeros = 0;
  for (size_t i = 0; i < hidden.labels.size(); ++i) zeros += hidden.inputs[2 * i + 1] == 0;
  EXPECT_TRUE(zeros > 50 && zeros <= 100) << zeros;
  options.augmentation = {.stretch = 5};
  EXPECT_THROW(batches_of(wells, options), Error);
}

TEST(WellBatches, WellsWithoutLabelCurveAndASubset) {
  auto wells = numbered({5, 6, 7});
  wells[2].labels.clear();
  const WellBatches batches(wells, std::vector<int64_t>{2, 1}, kPlain, {.batch = 2, .shuffle = false});
  const WellBatch b = batches.batch(batches.epoch(0), 0);
  EXPECT_EQ(b.wells, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(b.L, 7);
  EXPECT_EQ(b.labels, (std::vector<int32_t>{-1, -1, -1, -1, -1, -1, -1, 1000, 1001, 1002, 1003, 1004, 1005, -1}));
}

TEST(WellBatches, OptionsOutOfRangeAreErrors) {
  const auto wells = numbered({5});
  EXPECT_THROW(batches_of(wells, {.batch = 0}), Error);
  EXPECT_THROW(batches_of(wells, {.window = -1}), Error);
  EXPECT_THROW(WellBatches(wells, {}, kPlain, {}), Error);
  const auto batches = batches_of(wells, {});
  EXPECT_THROW(batches.batch(batches.epoch(0), 1), Error);
}

TEST(WellBatches, WholeCurvesAreHiddenAsOftenAsAskedAndNeverAll) {
  std::vector<Well> wells = numbered({2000});
  for (const char* name : {"RHOB", "NPHI"}) {
    wells[0].curves.push_back(wells[0].curves[0]);
    wells[0].curves.back().name = name;
  }
  for (Curve& curve : wells[0].curves)
    for (float& v : curve.values) v += 1;  // no value is 0
  const Normalisation three{.curves = {{.name = "GR"}, {.name = "RHOB"}, {.name = "NPHI"}}, .mask = true};
  const BatchOptions o{.batch = 4, .window = 50, .seed = 5, .augmentation = {.hide_curve = 0.3}};
  const WellBatches batches(wells, all(wells), three, o);
  int hidden = 0, windows = 0;
  for (int64_t e = 0; e < 20; ++e) {
    const auto epoch = batches.epoch(e);
    for (int64_t i = 0; i < batches.size(); ++i) {
      const WellBatch b = batches.batch(epoch, i), again = batches.batch(epoch, i);
      EXPECT_EQ(b.inputs, again.inputs);
      for (int64_t n = 0; n < b.N; ++n, ++windows) {
        int left = 0;
        for (int64_t c = 0; c < 3; ++c) {
          const float* first = b.inputs.data() + n * b.L * b.C + c;
          const bool there = first[3] > 0;
          left += there;
          for (int64_t l = 0; l < b.lengths[size_t(n)]; ++l) {
            ASSERT_EQ(first[l * b.C] != 0, there);
            ASSERT_EQ(first[l * b.C + 3], there ? 1 : 0);
          }
        }
        EXPECT_GE(left, 1);
        hidden += 3 - left;
      }
    }
  }
  // 0.3 of two curves of three, for one that is drawn stays.
  EXPECT_NEAR(double(hidden) / (3 * windows), 0.2, 0.03);
  EXPECT_THROW(WellBatches(wells, all(wells), three, {.augmentation = {.hide_curve = 1}}), Error);
}

}  // namespace
}  // namespace kern::data
