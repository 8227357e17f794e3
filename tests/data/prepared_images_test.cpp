#include "data/prepared_images.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "data/anomaly_batches.h"
#include "data/image_draw.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

class PreparedImagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    make_folder(folder_ / "images");
    for (int i = 0; i < 4; ++i) {
      Image image = make_raster<uint8_t>(12, 10, 3, uint8_t(0));
      for (size_t k = 0; k < image.pixels.size(); ++k) image.pixels[k] = uint8_t(k * size_t(7 + i) % 251);
      write_file(folder_ / "images" / (std::to_string(i) + ".png"), encode_png(image));
    }
    store = std::make_shared<ImageStore>(load_image_folder({.path = folder_}).images,
                                         MaskReader({.kind = MaskKind::nonzero}), 3, size_t(1) << 20);
  }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ = fs::path(::testing::TempDir()) / "prepared_images";
  const Preprocess chain{.height = 6, .width = 5, .blur = 0.7};
  std::shared_ptr<const ImageStore> store;
};

TEST_F(PreparedImagesTest, AreWhatTheChainMakesOnceWhereTheyFit) {
  const size_t bytes = 6 * 5 * 3 * sizeof(float);
  const PreparedImages all(store, chain), two(store, chain, 2 * bytes), none(store, chain, bytes - 1);
  for (int64_t i = 0; i < 4; ++i) {
    const auto made = prepare(store->get(i)->image, chain).pixels;
    for (const PreparedImages* p : {&all, &two, &none}) {
      EXPECT_EQ(p->get(i)->pixels, made);
      EXPECT_EQ(p->get(i)->pixels, made) << "the second time";
    }
    EXPECT_EQ(all.get(i), all.get(i));
    EXPECT_EQ(two.get(i) == two.get(i), i < 2);
    EXPECT_NE(none.get(i), none.get(i));
  }
}

TEST_F(PreparedImagesTest, ABlurOfItsOwnIsMadeAnew) {
  const PreparedImages p(store, chain);
  const auto kept = p.get(1), blurred = p.get(1, 1.9);
  EXPECT_NE(kept->pixels, blurred->pixels);
  EXPECT_EQ(blurred->pixels, prepare(store->get(1)->image, chain, 1.9).pixels);
  EXPECT_EQ(p.get(1), kept);
}

TEST_F(PreparedImagesTest, BatchesShowEveryImageOnceAnEpoch) {
  const auto prepared = std::make_shared<const PreparedImages>(store, chain);
  const AnomalyBatches batches(prepared, {0, 1, 3}, {.batch = 2, .seed = 4});
  ASSERT_EQ(batches.size(), 2);
  const AnomalyBatches::Epoch epoch = batches.epoch(0);
  std::vector<float> seen;
  for (int64_t b = 0; b < 2; ++b) {
    const AnomalyBatch batch = batches.batch(epoch, b);
    EXPECT_EQ(batch.N, b == 0 ? 2 : 1);
    EXPECT_EQ(int64_t(batch.inputs.size()), batch.N * 6 * 5 * 3);
    seen.insert(seen.end(), batch.inputs.begin(), batch.inputs.end());
  }
  std::vector<float> expected;
  for (const int64_t i : epoch.order) {
    const auto image = prepared->get(i);
    expected.insert(expected.end(), image->pixels.begin(), image->pixels.end());
  }
  EXPECT_EQ(seen, expected);
  const AnomalyBatches blurred(prepared, {0, 1, 3}, {.batch = 3, .seed = 4, .random_blur = true});
  const AnomalyBatch other = blurred.batch(epoch, 0);
  EXPECT_EQ(other.inputs.size(), expected.size());
  EXPECT_NE(other.inputs, expected);
  EXPECT_EQ(other.inputs, blurred.batch(epoch, 0).inputs);
  EXPECT_THROW(AnomalyBatches(prepared, {}, {}), Error);
  EXPECT_THROW(AnomalyBatches(prepared, {0}, {.batch = 0}), Error);
}

}  // namespace
}  // namespace kern::data
