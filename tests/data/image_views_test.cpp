// The strong views of images: what moves pixels says where they came from.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "data/image_augment.h"
#include "data/image_batches.h"
#include "tests/support/image_folder.h"

namespace kern::data {
namespace {

// A plane: every pixel's two channels tell its place.
ImageSample plane(int64_t H, int64_t W) {
  ImageSample s{H, W, 3, {}, {}};
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      s.inputs.insert(s.inputs.end(), {float(y) / float(H), float(x) / float(W), 0.5f});
      s.labels.push_back(0);
    }
  return s;
}
RandomSequence random_of(uint32_t which) { return {5, RandomStream::augment, which}; }

TEST(ImageView, OfNothingIsTheImageItself) {
  const ImageSample s = plane(6, 9);
  RandomSequence random = random_of(0);
  const ImageView v = strong_view(s, {}, random);
  EXPECT_EQ(v.inputs, s.inputs);
  for (int i = 0; i < 54; ++i) EXPECT_EQ(v.origin[size_t(i)], i);
}

TEST(ImageView, EveryPixelComesFromItsOrigin) {
  int outside = 0, inside = 0;
  for (const auto& [H, W] : {std::pair<int64_t, int64_t>{16, 16}, {12, 21}}) {
    const ImageSample s = plane(H, W);
    for (uint32_t which = 0; which < 30; ++which) {
      const ImageAugmentation a{.flip_horizontal = true,
                                .flip_vertical = true,
                                .rot90 = true,
                                .rotate = which % 2 ? 30.0 : 0.0,
                                .zoom = which % 2 ? 0.3 : 0.0,
                                .shift = which % 3 ? 0.2 : 0.0};
      RandomSequence random = random_of(which);
      const ImageView v = strong_view(s, a, random);
      for (int64_t i = 0; i < H * W; ++i) {
        const int64_t from = v.origin[size_t(i)];
        if (from < 0) {
          ++outside;
          continue;
        }
        ++inside;
        // Bilinear on a plane is exact, and the nearest pixel is at most half a pixel away.
        ASSERT_LE(std::abs(v.inputs[size_t(3 * i)] * float(H) - float(from / W)), 0.501f) << which;
        ASSERT_LE(std::abs(v.inputs[size_t(3 * i + 1)] * float(W) - float(from % W)), 0.501f) << which;
      }
    }
  }
  EXPECT_GT(outside, 100);
  EXPECT_GT(inside, 5000);
}

TEST(ImageView, ACutOutPixelKeepsItsOrigin) {
  const ImageSample s = plane(16, 16);
  int hidden = 0;
  for (uint32_t which = 0; which < 10; ++which) {
    RandomSequence random = random_of(which);
    const ImageView v = strong_view(s, {.cutout = 0.8}, random);
    for (int i = 0; i < 256; ++i) {
      EXPECT_EQ(v.origin[size_t(i)], i);
      hidden += v.inputs[size_t(3 * i)] != s.inputs[size_t(3 * i)];
    }
  }
  EXPECT_GT(hidden, 50);
}

TEST(ImageView, BatchesTellImageFromPaddingAndTruthFromNone) {
  const auto folder = std::filesystem::temp_directory_path() / "kern_image_views";
  std::filesystem::remove_all(folder);
  kern::testing::write_squares(folder, 2, 10, 12);
  ImageSet set = load_image_folder({.path = folder});
  set.images[1].mask.clear();
  const auto store =
      std::make_shared<const ImageStore>(set.images, MaskReader({.kind = MaskKind::nonzero}), 3, size_t(1) << 20);
  ImageBatchOptions o{.batch = 2, .H = 16, .W = 16, .fit = Fit::crop, .shuffle = false, .present = true};
  o.strong = ImageAugmentation{.shift = 0.3, .noise = 0.1};
  const ImageBatches batches(store, {0, 1}, o);
  const ImageBatch b = batches.batch(batches.epoch(0), 0);
  ASSERT_EQ(b.present.size(), 512u);
  ASSERT_EQ(b.origin.size(), 512u);
  ASSERT_EQ(b.strong.size(), b.inputs.size());
  int there = 0;
  for (size_t i = 0; i < 512; ++i) {
    there += b.present[i] == 0;
    if (i < 256) EXPECT_EQ(b.labels[i] >= 0, b.present[i] == 0) << "the first image has a mask";
    else EXPECT_EQ(b.labels[i], -1);
  }
  EXPECT_EQ(there, 2 * 10 * 12);
  const ImageBatch again = batches.batch(batches.epoch(0), 0), later = batches.batch(batches.epoch(1), 0);
  EXPECT_EQ(b.strong, again.strong);
  EXPECT_NE(b.strong, later.strong);
  EXPECT_EQ(b.inputs, later.inputs) << "unshuffled, the weak view stays";
  EXPECT_TRUE(b.strong2.empty() && b.origin2.empty());
  o.strong_views = 2;
  const ImageBatches two(store, {0, 1}, o);
  const ImageBatch c = two.batch(two.epoch(0), 0);
  EXPECT_EQ(c.strong, b.strong) << "a second view leaves the first as it was";
  ASSERT_EQ(c.strong2.size(), c.strong.size());
  ASSERT_EQ(c.origin2.size(), c.origin.size());
  EXPECT_NE(c.strong2, c.strong);
  EXPECT_NE(c.origin2, c.origin);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace kern::data
