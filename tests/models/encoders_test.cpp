// MobileNetV2, VGG16 and the U-Nets on them: against PyTorch, counted, any size, all gradients.
#include <gtest/gtest.h>

#include "engine/dry_run.h"
#include "models/mobilenet_fpn.h"
#include "models/mobilenet_unet.h"
#include "models/table2d.h"
#include "models/vgg16_unet.h"
#include "tests/support/model_golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {

const std::vector<MobileNetStage> kFew{{1, 4, 1, 1}, {2, 4, 2, 2}, {3, 5, 1, 2}, {2, 5, 2, 1}};
MobileNetV2Config narrow(PaddingConvention padding, int classes = 0) {
  return {.classes = classes, .stages = kFew, .stem = 4, .last = 6, .dropout = 0, .padding = padding};
}

struct Case {
  const char* file;
  AnyModule (*make)();
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.file; }
const Case kCases[] = {
    {"mobilenet_v2_torch", [] { return AnyModule(MobileNetV2(narrow(PaddingConvention::torch, 3))); }},
    {"mobilenet_v2_tensorflow", [] { return AnyModule(MobileNetV2(narrow(PaddingConvention::tensorflow, 3))); }},
    {"mobilenet_unet_torch",
     [] {
       return AnyModule(
           MobileNetUNet({.encoder = narrow(PaddingConvention::torch), .out = 3, .channels = {4, 5}, .dropout = 0}));
     }},
    {"mobilenet_unet_tensorflow",
     [] {
       return AnyModule(
           MobileNetUNet({.encoder = narrow(PaddingConvention::tensorflow), .out = 3, .channels = {4, 5}}));
     }},
    {"mobilenet_fpn",
     [] {
       MobileNetV2Config encoder = narrow(PaddingConvention::torch);
       encoder.stages.push_back({2, 6, 1, 2});  // three levels, the coarsest of which is enlarged twice
       return AnyModule(MobileNetFpn({.encoder = encoder, .out = 3, .channels = {4, 3}}));
     }},
    {"vgg16_unet",
     [] {
       return AnyModule(Vgg16UNet({.in = 3, .out = 3, .channels = {3, 4, 4, 5}, .dropout = 0}));
     }},
};
class EncoderGolden : public ::testing::TestWithParam<Case> {};

// tests/models/make_encoders_golden.py
TEST_P(EncoderGolden, forward_loss_and_all_gradients_are_pytorchs) {
  kern::testing::expect_as_pytorch(
      GetParam().make(),
      load_tensors(testing::source_file("tests/models/goldens/" + std::string(GetParam().file) + ".safetensors")));
}
INSTANTIATE_TEST_SUITE_P(Files, EncoderGolden, ::testing::ValuesIn(kCases),
                         [](const auto& i) { return std::string(i.param.file); });

TEST(MobileNetV2, has_the_published_parameters_and_names) {
  const DryRun without_values;
  const AnyModule net(MobileNetV2(MobileNetV2Config{}));
  EXPECT_EQ(net.parameter_count(), 3504872);
  const AnyModule encoder(MobileNetV2(MobileNetV2Config{.classes = 0}));
  EXPECT_EQ(encoder.parameter_count(), 1811712);
  EXPECT_EQ(AnyModule(MobileNetV2(MobileNetV2Config{.width = 0.5})).parameter_count(), 1968680);
  std::vector<std::string> names;
  for (const NamedTensor& p : net.parameters()) names.push_back(p.name);
  for (const char* name :
       {"features.0.0.weight", "features.1.conv.1.weight", "features.1.conv.2.bias", "features.2.conv.1.0.weight",
        "features.17.conv.3.bias", "features.18.1.weight", "classifier.1.bias"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  EXPECT_EQ(names.size(), 158u);
}

TEST(MobileNetV2, hands_over_what_the_decoder_takes_up) {
  const DryRun without_values;
  MobileNetV2 net({.classes = 0});
  set_training(net, false);
  const auto taps = net.encode(Tensor::full({1, 64, 96, 3}, 0.5f));
  const Shape wanted[] = {{1, 32, 48, 96}, {1, 16, 24, 144}, {1, 8, 12, 192}, {1, 4, 6, 576}, {1, 2, 3, 320}};
  ASSERT_EQ(taps.size(), std::size(wanted));
  for (size_t i = 0; i < taps.size(); ++i) EXPECT_EQ(taps[i].shape(), wanted[i]);
  EXPECT_EQ(net.multiple(), 32);
  EXPECT_THROW(net(Tensor::zeros({1, 32, 32, 3})), Error);
}

TEST(UNetsOnEncoders, have_the_published_numbers_of_parameters) {
  const DryRun without_values;
  EXPECT_EQ(make_image2d_model("mobilenet_unet", {.out = 1}).parameter_count(), 1811712 + 4657441);
  EXPECT_EQ(make_image2d_model("vgg16_unet", {.out = 35}).parameter_count(), 38834199);
  // Laterals of 144 + 192 + 576 + 320 channels, seven 3x3 convolutions without bias and their norms, and the head.
  EXPECT_EQ(make_image2d_model("mobilenet_fpn", {.out = 11}).parameter_count(),
            1811712 + (1232 + 4) * 128 + 9 * 64 * (4 * 128 + 3 * 64) + 7 * 2 * 64 + 65 * 11);
}

TEST(UNetsOnEncoders, take_any_size_and_give_every_parameter_a_gradient) {
  const Case small[] = {
      kCases[3],
      kCases[4],
      kCases[5],
      {"dropout", [] {
         return AnyModule(MobileNetUNet(
             {.encoder = narrow(PaddingConvention::torch), .out = 3, .channels = {4, 5}, .dropout = 0.5f}));
       }}};
  for (const Case& c : small) {
    set_seed(5);
    const AnyModule net = c.make();
    RandomSequence random(1, RandomStream::noise);
    const Tensor x = init_uniform({2, 19, 29, 3}, 1, random), y = net(x);
    EXPECT_EQ(y.shape(), (Shape{2, 19, 29, 3})) << c.file;
    backward(cross_entropy(y, Tensor::zeros({2, 19, 29}, {.dtype = DType::i32})));
    for (const NamedTensor& p : net.parameters()) EXPECT_TRUE(p.tensor.grad()) << c.file << ' ' << p.name;
    net.set_training(false);
    for (const Shape& size : {Shape{1, 1, 1, 3}, Shape{1, 7, 16, 3}}) {
      const Tensor z = net(Tensor::full(size, 0.5f));
      EXPECT_EQ(z.shape(), size) << c.file;
      for (const float v : z.values()) ASSERT_TRUE(std::isfinite(v)) << c.file;
    }
  }
}

TEST(UNetsOnEncoders, say_what_they_take) {
  EXPECT_THROW(MobileNetUNet({.channels = {8, 8}}), Error);
  EXPECT_THROW(MobileNetUNet({.encoder = {.in = 1}}), Error);  // ImageNet's colours are three
  EXPECT_THROW(MobileNetV2({.stages = {{1, 8, 1, 2}}}), Error);
  EXPECT_THROW(MobileNetV2({.dropout = 1}), Error);
  EXPECT_THROW(Vgg16UNet({.channels = {8}}), Error);
  EXPECT_THROW(MobileNetFpn({.channels = {8}}), Error);
  EXPECT_THROW(MobileNetFpn({.channels = {8, 0}}), Error);
  EXPECT_THROW(MobileNetFpn({.encoder = {.stages = {{1, 8, 1, 1}, {2, 8, 1, 2}}}}), Error);
  EXPECT_THROW(Vgg16({.channels = {8, 8, 8, 8, 8, 8}}), Error);
  EXPECT_THROW(make_image2d_model("unet3", {}), Error);
  const DryRun without_values;
  EXPECT_EQ(make_image2d_model("mobilenet_unet", {.in = 1}).tensors()[0].name, "encoder.features.0.0.weight");
  const AnyModule net = kCases[3].make();
  EXPECT_THROW(net(Tensor::zeros({1, 8, 8, 1})), Error);
}

}  // namespace
}  // namespace kern::models
