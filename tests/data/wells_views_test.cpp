#include "data/wells_views.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/cycling_loader.h"
#include "data/wells_batches.h"
#include "data/wells_synthetic.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr StrongView kNothing{.gain = 0, .drift = 0, .noise = 0, .stretch = 0, .hide = 0};

std::vector<float> ramp_of(int64_t length) {
  std::vector<float> values(size_t(length), 0.0f);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

RandomSequence random_number(uint32_t which) { return {5, RandomStream::augment, which}; }

TEST(StrongView, of_nothing_is_the_window_itself) {
  const std::vector<float> x = ramp_of(50);
  RandomSequence random = random_number(0);
  const ViewOfWindow v = strong_view(x.data(), 50, 1, false, kNothing, random);
  EXPECT_EQ(v.inputs, x);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(v.origin[size_t(i)], i);
}

// On a straight line the value says where a sample came from: the origin must be the nearest.
TEST(StrongView, stretching_moves_values_and_origin_alike) {
  const int64_t length = 101;
  const std::vector<float> x = ramp_of(length);
  int squeezed = 0, stretched = 0;
  for (uint32_t which = 0; which < 40; ++which) {
    RandomSequence random = random_number(which);
    StrongView o = kNothing;
    o.stretch = 0.5;
    o.reverse = which % 2 == 1;
    const ViewOfWindow v = strong_view(x.data(), length, 1, false, o, random);
    EXPECT_EQ(v.origin[50], 50);
    int outside = 0;
    for (size_t i = 0; i < size_t(length); ++i) {
      if (v.origin[i] < 0) {
        EXPECT_EQ(v.inputs[i], 0);
        ++outside;
        continue;
      }
      EXPECT_LE(std::abs(v.inputs[i] - 1 - float(v.origin[i])), 0.501f);
    }
    (outside > 0 ? squeezed : stretched) += 1;
    EXPECT_LE(outside, 36);  // 1 - 1 / 1.5 of the window, and the rounding
  }
  EXPECT_GT(squeezed, 5);
  EXPECT_GT(stretched, 5);
}

TEST(StrongView, reversal_is_exact_and_happens_to_half) {
  const std::vector<float> x = ramp_of(20);
  int reversed = 0;
  for (uint32_t which = 0; which < 60; ++which) {
    RandomSequence random = random_number(which);
    StrongView o = kNothing;
    o.reverse = true;
    const ViewOfWindow v = strong_view(x.data(), 20, 1, false, o, random);
    if (v.origin[0] == 0) continue;
    ++reversed;
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(v.origin[i], int32_t(19 - i));
      EXPECT_EQ(v.inputs[i], float(20 - i));
    }
  }
  EXPECT_GT(reversed, 15);
  EXPECT_LT(reversed, 45);
}

TEST(StrongView, what_is_missing_stays_missing_and_what_is_hidden_says_so) {
  const int64_t length = 200;
  std::vector<float> x(size_t(length * 4), 1.0f);                                 // two curves and their masks
  for (int64_t i = 60; i < 90; ++i) x[size_t(i * 4)] = x[size_t(i * 4 + 2)] = 0;  // the first is missing there
  RandomSequence random = random_number(3);
  StrongView o = kNothing;
  o.noise = 0.1, o.drift = 0.3, o.gain = 0.1;
  const ViewOfWindow v = strong_view(x.data(), length, 2, true, o, random);
  for (size_t i = 0; i < size_t(length); ++i) {
    const bool gap = i >= 60 && i < 90;
    EXPECT_EQ(v.inputs[i * 4 + 2], gap ? 0.0f : 1.0f);
    EXPECT_EQ(v.inputs[i * 4] == 0, gap);
    EXPECT_NE(v.inputs[i * 4 + 1], 0);
  }
  RandomSequence again = random_number(4);
  o = kNothing;
  o.hide = 0.25;
  const ViewOfWindow hidden = strong_view(x.data(), length, 2, true, o, again);
  int gone = 0;
  for (size_t i = 0; i < size_t(length); ++i) {
    if (hidden.inputs[i * 4 + 1] != 0) continue;
    ++gone;
    for (size_t c = 0; c < 4; ++c) EXPECT_EQ(hidden.inputs[i * 4 + c], 0);
    EXPECT_EQ(hidden.origin[i], int32_t(i));  // it must be told from what stands round it
  }
  EXPECT_GT(gone, 20);
  EXPECT_LE(gone, 50);
}

TEST(StrongView, options_out_of_range_are_sentences) {
  StrongView o;
  check_options(o);
  o.hide = 0.95;
  EXPECT_THROW(check_options(o), Error);
  o = {};
  o.stretch = -0.1;
  EXPECT_THROW(check_options(o), Error);
}

TEST(WellBatches, strong_views_come_beside_the_inputs_and_repeat) {
  const std::vector<Well> wells = synthetic_wells({.wells = 3, .samples = 100, .seed = 2});
  const std::vector<int64_t> all{0, 1, 2};
  const Normalisation plain{.curves = {{.name = "GR", .offset = 75, .scale = 30}}, .mask = false};
  BatchOptions o{.batch = 2, .window = 64, .seed = 4, .anywhere = true, .strong = StrongView{}};
  const WellBatches batches(wells, all, plain, o);
  const auto epoch = batches.epoch(3);
  const WellBatch a = batches.batch(epoch, 1), b = batches.batch(epoch, 1);
  ASSERT_EQ(a.strong.size(), a.inputs.size());
  ASSERT_EQ(a.origin.size(), a.labels.size());
  EXPECT_EQ(a.strong, b.strong);
  EXPECT_EQ(a.origin, b.origin);
  EXPECT_NE(a.strong, a.inputs);
  o.strong.reset();
  const WellBatches weak(wells, all, plain, o);
  EXPECT_EQ(weak.batch(weak.epoch(3), 1).inputs, a.inputs);  // the weak view is what it was
  o.strong = StrongView{.noise = -1};
  EXPECT_THROW(WellBatches(wells, all, plain, o), Error);
}

TEST(CyclingLoader, goes_round_and_begins_anywhere) {
  const std::vector<Well> wells = synthetic_wells({.wells = 5, .samples = 64, .seed = 2});
  const std::vector<int64_t> all{0, 1, 2, 3, 4};
  const Normalisation plain{.curves = {{.name = "GR"}}, .mask = false};
  const WellBatches batches(wells, all, plain, {.batch = 2, .window = 0, .seed = 4});
  CyclingLoader<WellBatches> loader(batches), later(batches);
  std::vector<std::vector<float>> seen;
  loader.begin(0);
  for (int i = 0; i < 9; ++i) seen.push_back(loader.next().inputs);
  EXPECT_EQ(seen[4], batches.batch(batches.epoch(1), 1).inputs);
  EXPECT_EQ(seen[8], batches.batch(batches.epoch(2), 2).inputs);
  later.begin(5);
  for (size_t i = 5; i < 9; ++i) EXPECT_EQ(later.next().inputs, seen[i]);
  later.begin(9);  // where it stands
  later.begin(2);
  EXPECT_EQ(later.next().inputs, seen[2]);
}

}  // namespace
}  // namespace kern::data
