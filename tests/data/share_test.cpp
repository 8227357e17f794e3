// The parts of a batch that ranks make, one after the other, are the batch of one process.
#include "data/share.h"

#include <gtest/gtest.h>

#include "data/fault_cubes.h"
#include "data/fault_sections.h"
#include "data/wells_batches.h"

namespace kern::data {
namespace {

TEST(Share, PartsAreAllAndNothingTwice) {
  for (const int ranks : {1, 2, 3, 7})
    for (const int64_t n : {1, 2, 5, 16}) {
      int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Share::Part part = Share{rank, ranks}.of(n);
        EXPECT_GE(part.size(), 1);
        EXPECT_LE(part.size(), (n + ranks - 1) / ranks);
        if (part.lent) {
          EXPECT_LT(n, ranks);
          EXPECT_EQ(part.first, 0);
          continue;
        }
        EXPECT_EQ(part.first, next);
        next = part.last;
      }
      EXPECT_EQ(next, n);
    }
}

template <class Batches>
void expect_parts_make_the_whole(const Batches& batches) {
  const auto epoch = batches.epoch(1);
  for (const int ranks : {2, 4})
    for (int64_t i = 0; i < batches.size(); ++i) {
      const auto whole = batches.batch(epoch, i);
      EXPECT_EQ(whole.whole.samples, whole.N);
      EXPECT_FALSE(whole.whole.lent);
      std::vector<float> inputs;
      std::vector<int32_t> labels;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto part = batches.batch(epoch, i, {rank, ranks});
        EXPECT_EQ(part.whole.samples, whole.N);
        EXPECT_EQ(part.inputs.size() * size_t(whole.N), whole.inputs.size() * size_t(part.N));
        if (part.whole.lent) continue;
        inputs.insert(inputs.end(), part.inputs.begin(), part.inputs.end());
        labels.insert(labels.end(), part.labels.begin(), part.labels.end());
      }
      EXPECT_EQ(inputs, whole.inputs) << "batch " << i << " by " << ranks;
      EXPECT_EQ(labels, whole.labels) << "batch " << i << " by " << ranks;
    }
}

TEST(Share, OfWindowsOfWells) {
  std::vector<Well> wells;
  for (const int64_t length : {40, 23, 31}) {
    Well well{.id = std::to_string(length)};
    well.curves.push_back({.name = "GR"});
    for (int64_t i = 0; i < length; ++i) {
      well.depth.push_back(double(i));
      well.curves[0].values.push_back(float(i + length));
      well.labels.push_back(int(i % 3));
    }
    wells.push_back(std::move(well));
  }
  const std::vector<int64_t> which{0, 1, 2};
  BatchOptions o{.batch = 4, .window = 8, .seed = 2};
  o.augmentation.noise = 0.1;
  expect_parts_make_the_whole(WellBatches(wells, which, {.curves = {{.name = "GR"}}, .mask = true}, o));
  o.window = 0;  // padded to the longest of the batch, also where a rank has not got it
  o.batch = 3;
  expect_parts_make_the_whole(WellBatches(wells, which, {.curves = {{.name = "GR"}}, .mask = true}, o));
}

TEST(Share, OfSectionsAndCubes) {
  SectionOptions sections{.sections = 5, .batch = 4};
  sections.synthetic.crosslines = 24, sections.synthetic.samples = 32;
  expect_parts_make_the_whole(FaultSections(sections));
  CubeOptions cubes{.crop = {16, 20, 24}, .uses = 3, .cubes = 8, .batch = 3};
  cubes.synthetic.inlines = 32, cubes.synthetic.crosslines = 36, cubes.synthetic.samples = 40;
  cubes.synthetic.least_throw = cubes.synthetic.least_period = 0;
  expect_parts_make_the_whole(FaultCubes(cubes));
}

}  // namespace
}  // namespace kern::data
