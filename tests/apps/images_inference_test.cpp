// Several passes of an image through a network: mirrored, and at several sizes.
#include <gtest/gtest.h>

#include "apps/images/images_model.h"
#include "engine/random.h"

namespace kern::apps {
namespace {

ImagesModel small_model(bool own_size) {
  set_seed(5);
  ImagesModel m{.architecture = "unet", .H = 16, .W = 24, .own_size = own_size};
  m.network = {.in = 3, .out = 3, .channels = {4, 6}};
  m.classes = {{"a", "#000000", {0}}, {"b", "#ffffff", {1}}, {"c", "#ff0000", {2}}};
  m.build();
  return m;
}
data::Image noise(int64_t H, int64_t W) {
  data::Image image = data::make_raster(H, W, 3);
  RandomSequence random(2, RandomStream::noise);
  for (uint8_t& v : image.pixels) v = uint8_t(random.below(256));
  return image;
}
std::vector<float> predicted(const ImagesModel& m, const data::Image& image, const InferenceOptions& o) {
  std::vector<float> all;
  predict_image(m, image, o,
                [&](int64_t, int64_t, std::span<const float> p) { all.insert(all.end(), p.begin(), p.end()); });
  return all;
}

TEST(ImagesInference, scales_are_a_mean_over_sizes) {
  const data::Image image = noise(20, 28);
  for (const bool own_size : {true, false})
    for (const Window window : {Window::automatic, Window::tiles}) {
      const ImagesModel m = small_model(own_size);
      const auto at = [&](std::vector<double> scales) {
        return predicted(m, image, {.window = window, .scales = std::move(scales)});
      };
      const std::vector<float> once = predicted(m, image, {.window = window}), same = at({1}), large = at({1.5}),
                               both = at({1, 1.5});
      ASSERT_EQ(once.size(), size_t(20 * 28 * 3));
      EXPECT_EQ(same, once);
      ASSERT_EQ(large.size(), once.size());
      EXPECT_NE(large, once);
      ASSERT_EQ(both.size(), once.size());
      for (size_t i = 0; i < both.size(); ++i) {
        EXPECT_NEAR(both[i], (once[i] + large[i]) / 2, 1e-6);
        if (i % 3 == 2) {
          EXPECT_NEAR(both[i] + both[i - 1] + both[i - 2], 1, 1e-5);
        }
      }
    }
  EXPECT_THROW(predicted(small_model(true), image, {.scales = {}}), Error);
}

// Sees a pixel alone: its logits are the colours.
struct Colours {
  Tensor operator()(const Tensor& x) { return x; }
  template <class V>
  void visit(V&&) {}
};

// What a magnified pass says comes back to the place that it is about.
TEST(ImagesInference, what_other_sizes_say_comes_back_to_its_place) {
  ImagesModel m = small_model(true);
  m.module = AnyModule(Colours{});
  data::Image left = data::make_raster(12, 12, 3);
  for (int64_t y = 0; y < 12; ++y)
    for (int64_t x = 0; x < 12; ++x) left.at(y, x)[x < 4 ? 0 : 2] = 255;
  const std::vector<float> p = predicted(m, left, {.scales = {0.5, 1, 2}});
  for (int64_t y = 0; y < 12; ++y)
    for (int64_t x = 0; x < 12; ++x) {
      const float* const at = &p[size_t((y * 12 + x) * 3)];
      if (x < 3) {
        EXPECT_GT(at[0], at[2]) << y << ' ' << x;
      }
      if (x > 4) {
        EXPECT_LT(at[0], at[2]) << y << ' ' << x;
      }
    }
  EXPECT_FALSE(whole_pass(m, {left.H, left.W}, {.scales = {1, 2}}));
  EXPECT_TRUE(whole_pass(m, {left.H, left.W}, {}));
}

}  // namespace
}  // namespace kern::apps
