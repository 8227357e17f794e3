#include "models/unet1d.h"

#include "engine/model_file.h"
#include "engine/ops/cross_entropy.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
using kern::testing::distance;

std::vector<int> numbers(const std::string& list) {
  std::vector<int> out;
  for (size_t i = 0; i < list.size(); i = list.find(',', i) == list.npos ? list.size() : list.find(',', i) + 1)
    out.push_back(std::stoi(list.substr(i)));
  return out;
}

class UNet1dGolden : public ::testing::TestWithParam<const char*> {};

// Forward, loss and every gradient as PyTorch computes them in float64 (tests/models/make_unet1d_golden.py).
TEST_P(UNet1dGolden, forward_loss_and_all_gradients_are_pytorchs) {
  const TensorFile golden = load_tensors(testing::source_file("tests/models/goldens/" + std::string(GetParam())));
  UNet1d net({.in = std::stoi(golden.metadata.at("in")),
              .out = std::stoi(golden.metadata.at("out")),
              .channels = numbers(golden.metadata.at("channels")),
              .strides = numbers(golden.metadata.at("strides"))});
  auto tensors = named_tensors(net);
  size_t in_file = 0;
  for (const auto& t : golden.tensors) in_file += t.name.starts_with("weight.");
  ASSERT_EQ(in_file, tensors.size());
  for (auto& t : tensors) {
    const Tensor* w = golden.find("weight." + t.name);
    ASSERT_TRUE(w) << t.name;
    t.tensor.copy_from(*w);
  }
  Tensor x = golden.find("x")->clone();
  x.require_grad();
  const Tensor logits = net(x);
  EXPECT_LE(distance(logits, *golden.find("logits")), 2e-5);
  const Tensor loss = cross_entropy(logits, *golden.find("target"), *golden.find("class_weight"));
  EXPECT_NEAR(loss.item(), golden.find("loss")->item(), 1e-5);
  backward(loss);
  EXPECT_LE(distance(x.grad(), *golden.find("dx")), 1e-4);
  for (const auto& t : tensors) {
    ASSERT_TRUE(t.tensor.grad()) << t.name << " got no gradient";
    const Tensor& want = *golden.find("grad." + t.name);
    double scale = 0;
    for (float v : want.values()) scale = std::max(scale, double(std::abs(v)));
    // A bias before an instance norm has gradient 0 up to rounding: there the comparison is absolute.
    if (scale < 1e-9)
      for (float v : t.tensor.grad().values()) EXPECT_NEAR(v, 0, 1e-6) << t.name;
    else EXPECT_LE(distance(t.tensor.grad(), want), 2e-4) << t.name;
  }
}
INSTANTIATE_TEST_SUITE_P(Files, UNet1dGolden, ::testing::Values("unet1d.safetensors", "unet1d_strided.safetensors"),
                         [](const auto& i) { return std::string(i.param).substr(0, std::string(i.param).find('.')); });

TEST(UNet1d, parameter_counts_are_exact) {
  UNet1d generator({});
  EXPECT_EQ(parameter_count(generator), 202564);
  EXPECT_EQ(generator.receptive_field(), 67);
  EXPECT_EQ(named_tensors(generator)[0].name, "down.0.units.0.conv.weight");
  UNet1d discriminator(
      {.in = 5, .out = 2, .channels = {1, 4, 8, 16, 32, 64}, .strides = {1, 1, 1, 1, 1}, .residual_units = 1});
  EXPECT_EQ(parameter_count(discriminator), 17870);
}

TEST(UNet1d, any_length_works_and_every_parameter_gets_a_gradient) {
  set_seed(3);
  UNet1d net({.in = 2, .out = 3, .channels = {4, 6, 8}, .strides = {2, 2}});
  for (int64_t length : {1, 2, 3, 5, 8, 37}) {
    const Tensor y = net(Tensor::full({2, length, 2}, 0.5f));
    EXPECT_EQ(y.shape(), (Shape{2, length, 3})) << length;
    for (float v : y.values()) ASSERT_TRUE(std::isfinite(v)) << length;
  }
  RandomSequence random(1, RandomStream::noise);
  const Tensor x = init_normal({2, 19, 2}, 1, random);
  const Tensor y = net(x);
  backward(y, init_normal(y.shape(), 1, random));
  for (const auto& p : named_parameters(net)) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

TEST(UNet1d, wrong_use_is_a_sentence) {
  EXPECT_THROW(UNet1d({.channels = {4}, .strides = {}}), Error);
  EXPECT_THROW(UNet1d({.channels = {4, 8}, .strides = {0}}), Error);
  UNet1d net({.in = 2, .channels = {2, 3}, .strides = {1}});
  EXPECT_THROW(net(Tensor::zeros({1, 8, 3})), Error);
}

}  // namespace
}  // namespace kern::models
