#include "data/image_draw.h"

#include <gtest/gtest.h>

namespace kern::data {
namespace image_draw {

Labels row_of(const std::vector<uint8_t>& values) { return {1, int64_t(values.size()), 1, values}; }

TEST(ImageDraw, MistakesAreColouredByTheirKind) {
  const Image image = make_raster(1, 5, 3, uint8_t(90));
  // found, missed, found wrongly, nothing there and nothing said, takes no part
  const Labels truth = row_of({1, 1, 0, 0, kIgnoredPixel}), said = row_of({1, 0, 1, 0, 1});
  const Image two = mistakes(image, truth, said, true), many = mistakes(image, truth, said, false);
  const auto at = [](const Image& m, int64_t x) { return Rgb{m.at(0, x)[0], m.at(0, x)[1], m.at(0, x)[2]}; };
  const Rgb grey{90, 90, 90}, green{30, 135, 106}, blue{30, 106, 148}, orange{172, 92, 30};
  EXPECT_EQ(at(two, 0), green);
  EXPECT_EQ(at(two, 1), blue);
  EXPECT_EQ(at(two, 2), orange);
  EXPECT_EQ(at(two, 3), grey);
  EXPECT_EQ(at(two, 4), grey);
  EXPECT_EQ(at(many, 0), grey);
  EXPECT_EQ(at(many, 1), orange);
  EXPECT_EQ(at(many, 2), orange);
}

}  // namespace image_draw
}  // namespace kern::data
