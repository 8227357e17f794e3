#include "data/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/spills_synthetic.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

Image ramp(int64_t h, int64_t w, int64_t c) {
  Image image = make_raster(h, w, c);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = uint8_t((i * 37 + i / 7) % 251);
  return image;
}

TEST(Preprocess, ThePlainChainScalesToOne) {
  const Image image = ramp(5, 4, 3);
  const auto out = prepare(image, {});
  for (size_t i = 0; i < out.pixels.size(); ++i) EXPECT_EQ(out.pixels[i], float(image.pixels[i]) / 255.0f);
}

// By hand: one bright pixel of 130 on 0: smoothed there 5 x 130 / 13 = 50, its neighbours 10.
TEST(Preprocess, SharpeningIsPillows) {
  Image image = make_raster(5, 5, 1);
  *image.at(2, 2) = 130;
  const auto out = prepare(image, {.channels = 1, .sharpen = 1.5});
  EXPECT_NEAR(*out.at(2, 2) * 255, 50 + 1.5 * 80, 1e-3);
  EXPECT_EQ(*out.at(1, 1), 0);  // 10 - 1.5 x 10 is below 0
  const auto softer = prepare(image, {.channels = 1, .sharpen = 0});
  EXPECT_NEAR(*softer.at(1, 2) * 255, 10, 1e-3);
  EXPECT_EQ(*softer.at(0, 2), 0);  // the outermost pixels stay as they are
}

TEST(Preprocess, TheMiddleIsCutOut) {
  const Image image = ramp(28, 48, 3);
  const auto out = prepare(image, {.crop_height = 28, .crop_width = 28});
  ASSERT_EQ(out.W, 28);
  for (int64_t y = 0; y < 28; ++y)
    for (int64_t x = 0; x < 28; ++x) ASSERT_EQ(out.at(y, x)[1], float(image.at(y, x + 10)[1]) / 255.0f);
  EXPECT_EQ(prepared_size({100, 200}, {.height = 28, .width = 48, .crop_height = 28, .crop_width = 28}),
            (ImageSize{28, 28}));
  EXPECT_EQ(prepared_size({100, 200}, {}), (ImageSize{100, 200}));
  EXPECT_THROW(prepare(image, {.crop_height = 29, .crop_width = 28}), Error);
  EXPECT_THROW(prepare(image, {.channels = 1}), Error);
}

TEST(Preprocess, UndistortedImagesKeepTheirAspectRatio) {
  const Preprocess square{.height = 64, .width = 64};
  const Image image = ramp(64, 64, 3);
  EXPECT_EQ(prepare_undistorted(image, square, 32).pixels, prepare(image, {}).pixels);
  const auto size = [](int64_t h, int64_t w, const Preprocess& chain) {
    const auto out = prepare_undistorted(ramp(h, w, 3), chain, 32);
    EXPECT_EQ(out.pixels.size(), size_t(out.H * out.W * 3));
    return ImageSize{out.H, out.W};
  };
  EXPECT_EQ(size(100, 400, {.height = 128, .width = 128}), (ImageSize{64, 256}));
  EXPECT_EQ(size(400, 100, {.height = 128, .width = 128}), (ImageSize{256, 64}));
  EXPECT_EQ(size(10, 1000, {.height = 64, .width = 64}), (ImageSize{32, 640}));  // no side is 0
  // Of a square in the middle of a wide image: that square.
  const Image wide = ramp(64, 192, 3);
  const auto middle = prepare_undistorted(wide, {.crop_height = 64, .crop_width = 64}, 32);
  ASSERT_EQ(middle.H, 64);
  ASSERT_EQ(middle.W, 64);
  EXPECT_EQ(middle.at(3, 5)[1], float(wide.at(3, 69)[1]) / 255.0f);
}

TEST(Preprocess, TheBlurKeepsTheMeanOfAFlatImageAndSpreadsAPoint) {
  Image image = make_raster(3, 3, 1);
  *image.at(1, 1) = 255;
  const auto out = prepare(image, {.channels = 1, .blur = 1});
  const double side = std::exp(-0.5), whole = 1 + 2 * side;
  EXPECT_NEAR(*out.at(1, 1), 1 / (whole * whole), 1e-6);
  // Mirrored: the point is its edge neighbours' neighbour on both sides.
  EXPECT_NEAR(*out.at(0, 0), 4 * side * side / (whole * whole), 1e-6);
  const auto flat = prepare(make_raster(4, 6, 3, uint8_t{51}), {.blur = 2});
  for (const float v : flat.pixels) EXPECT_NEAR(v, 0.2f, 1e-6);
  EXPECT_EQ(prepare(image, {.channels = 1, .blur = 1}, 0).pixels, prepare(image, {.channels = 1}).pixels);
}

TEST(Preprocess, MasksKeepTheirValues) {
  Image mask = make_raster(56, 96, 1);
  for (int64_t y = 20; y < 40; ++y)
    for (int64_t x = 40; x < 60; ++x) *mask.at(y, x) = 255;
  const Image out = prepare_mask(mask, {.height = 28, .width = 48, .crop_height = 28, .crop_width = 28, .blur = 1});
  ASSERT_EQ(out.H * out.W, 28 * 28);
  for (int64_t y = 0; y < 28; ++y)
    for (int64_t x = 0; x < 28; ++x)
      ASSERT_EQ(*out.at(y, x), y >= 10 && y < 20 && x + 10 >= 20 && x + 10 < 30 ? 255 : 0) << y << ' ' << x;
}

TEST(SpillsSynthetic, EqualSeedsGiveEqualImagesAndSpillsAreBright) {
  const SpillOptions o{.seed = 4};
  EXPECT_EQ(spill_image(3, true, o).image, spill_image(3, true, o).image);
  EXPECT_NE(spill_image(3, true, o).image, spill_image(4, true, o).image);
  double inside = 0, outside = 0, area = 0;
  int64_t in = 0, out = 0;
  for (int i = 0; i < 50; ++i) {
    const SpillImage p = spill_image(i, true, o);
    int64_t here = 0;
    for (int64_t y = 0; y < p.image.H; ++y)
      for (int64_t x = 0; x < p.image.W; ++x) {
        const bool spilt = *p.mask.at(y, x) != 0;
        (spilt ? inside : outside) += p.image.at(y, x)[1];
        (spilt ? in : out) += 1;
        here += spilt;
      }
    EXPECT_GT(here, 0);
    area += double(here) / double(p.image.H * p.image.W) / 50;
    const SpillImage none = spill_image(i, false, o);
    EXPECT_EQ(std::count(none.mask.pixels.begin(), none.mask.pixels.end(), 0), none.mask.H * none.mask.W);
  }
  EXPECT_GT(inside / double(in), outside / double(out) + 25);
  EXPECT_GT(area, 0.03);
  EXPECT_LT(area, 0.3);
  EXPECT_THROW(spill_image(0, true, {.height = 4}), Error);
}

TEST(Preprocess, TheRegionThatIsKept) {
  const Preprocess chain{.height = 28, .width = 48, .crop_height = 28, .crop_width = 28};
  const ImageRegion same = prepared_region({28, 48}, chain);
  EXPECT_EQ(same.y, 0);
  EXPECT_EQ(same.x, 10);
  EXPECT_EQ(same.H, 28);
  EXPECT_EQ(same.W, 28);
  const ImageRegion twice = prepared_region({56, 96}, chain);
  EXPECT_EQ(twice.x, 20);
  EXPECT_EQ(twice.W, 56);
  EXPECT_EQ(twice.H, 56);
  const ImageRegion tiny = prepared_region({1, 1}, chain);
  EXPECT_EQ(tiny.H, 1);
  EXPECT_EQ(tiny.y + tiny.x, 0);
  const ImageRegion whole = prepared_region({9, 7}, {});
  EXPECT_EQ(whole.H * whole.W, 63);
}

}  // namespace
}  // namespace kern::data
