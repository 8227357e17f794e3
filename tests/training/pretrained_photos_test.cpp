// The published MobileNetV2 on labelled photographs, where the shared data are: images read, encoder loaded,
// classes right. Stands here because it needs both the models and the data.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "data/image.h"
#include "models/mobilenet_v2.h"
#include "models/pretrained.h"
#include "tests/support/source_files.h"

namespace kern {
namespace {
namespace fs = std::filesystem;
const fs::path kWeights = testing::source_file("../shared/data/weights");

// The middle 224 x 224 of the image whose shorter side is 256, in [0, 1].
Tensor prepared(const fs::path& path) {
  data::Image image = data::read_image(path, 3);
  const int64_t shorter = std::min(image.H, image.W);
  image = data::resize(image, (image.H * 256 + shorter / 2) / shorter, (image.W * 256 + shorter / 2) / shorter);
  const int64_t top = (image.H - 224) / 2, left = (image.W - 224) / 2;
  Tensor x = Tensor::empty({1, 224, 224, 3});
  for (int64_t y = 0; y < 224; ++y)
    std::transform(image.at(top + y, left), image.at(top + y, left) + 224 * 3, x.mutate() + y * 224 * 3,
                   [](uint8_t v) { return float(v) / 255; });
  return x;
}

TEST(Pretrained, the_published_mobilenet_names_photographs) {
  if (!fs::exists(kWeights)) GTEST_SKIP() << "the shared weights are not there";
  const AnyModule net(models::MobileNetV2({.classes = 1001, .padding = models::PaddingConvention::tensorflow}));
  models::load_pretrained(models::kMobileNetV2, net, "", load_tensors(kWeights / "mobilenetv2_imagenet.safetensors"),
                          1e-3);
  net.set_training(false);
  const NoGrad no_grad;
  std::ifstream labels(kWeights / "photos/labels.csv");
  int photos = 0, first = 0, among_five = 0;
  std::string line, name, index;
  std::getline(labels, line);
  while (std::getline(labels, line)) {
    std::istringstream fields(line);
    std::getline(fields, name, ','), std::getline(fields, index, ',');
    if (!fs::exists(kWeights / "photos" / name)) continue;  // the list names more than are there
    const auto scores = net(prepared(kWeights / "photos" / name)).values();
    const float right = scores[size_t(std::stoi(index)) + 1];  // class 0 is the background
    const auto better = std::count_if(scores.begin(), scores.end(), [&](float v) { return v > right; });
    ++photos, first += better < 1, among_five += better < 5;
  }
  RecordProperty("photos", photos), RecordProperty("top1", first), RecordProperty("top5", among_five);
  ASSERT_GE(photos, 100);
  // PyTorch with these weights and this crop names 82 of the 100, and 99 among its five first.
  EXPECT_GE(first, 0.80 * photos);
  EXPECT_GE(among_five, 0.97 * photos);
}

}  // namespace
}  // namespace kern
