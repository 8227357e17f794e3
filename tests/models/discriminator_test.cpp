#include "models/discriminator.h"

#include "engine/model_file.h"
#include "engine/ops/bce_with_logits.h"
#include "layers/head_loss.h"
#include "models/table1d.h"
#include "models/windowed_mlp.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
using kern::testing::distance;

TensorFile golden_of(const std::string& name) {
  return load_tensors(testing::source_file("tests/models/goldens/" + name + ".safetensors"));
}

// Forward, loss and every gradient as PyTorch computes them in float64 (tests/models/make_discriminator_golden.py).
template <class Loss>
void expect_golden(const AnyModule& net, const TensorFile& golden, Loss&& loss_of) {
  std::vector<FileTensor> targets;
  for (const NamedTensor& t : net.tensors()) targets.push_back({t.name, t.tensor});
  load_into(targets, golden, "weight.");  // none missing, none left over
  Tensor x = golden.find("x")->clone();
  x.require_grad();
  EXPECT_LE(distance(net(x), *golden.find("logits")), 5e-6);
  const Tensor loss = loss_of(x);
  EXPECT_NEAR(loss.item(), golden.find("loss")->item(), 2e-6);
  backward(loss);
  EXPECT_LE(distance(x.grad(), *golden.find("dx")), 2e-5);
  for (const FileTensor& t : targets) {
    ASSERT_TRUE(t.tensor.grad()) << t.name << " got no gradient";
    EXPECT_LE(distance(t.tensor.grad(), *golden.find("grad." + t.name)), 2e-5) << t.name;
  }
}

TEST(Discriminator, a_signals_forward_loss_and_all_gradients_are_pytorchs) {
  const TensorFile golden = golden_of("discriminator1d");
  const AnyModule net(FcnDiscriminator1d(3, {4, 5, 6, 7}));
  expect_golden(net, golden, [&](const Tensor& x) { return bce_with_logits(net(x), *golden.find("target")); });
}

TEST(Discriminator, an_images_forward_loss_and_all_gradients_are_pytorchs) {
  const TensorFile golden = golden_of("discriminator2d");
  const AnyModule net(FcnDiscriminator2d(2, {3, 4, 3, 5}));
  expect_golden(net, golden, [&](const Tensor& x) { return bce_with_logits(net(x), *golden.find("target")); });
}

TEST(Discriminator, parameter_counts_are_exact) {
  FcnDiscriminator2d images(21);
  EXPECT_EQ(parameter_count(images), 2783169);
  EXPECT_EQ(named_tensors(images)[0].name, "convolutions.0.weight");
  EXPECT_EQ(make_discriminator1d("unet", 5).parameter_count(), 17870);
  EXPECT_EQ(make_discriminator1d("fcn", 5).parameter_count(),
            5 * 64 * 4 + 64 + 4 * (64 * 128 + 128 * 256 + 256 * 512) + 128 + 256 + 512 + 512 * 4 + 1);
}

TEST(Discriminator, any_size_works_and_wrong_use_is_a_sentence) {
  set_seed(3);
  FcnDiscriminator1d signal(3, {2, 2, 2, 2});
  for (const int64_t length : {1, 31, 32, 33, 100}) {
    const Tensor y = signal(Tensor::full({2, length, 3}, 0.5f));
    EXPECT_EQ(y.shape(), (Shape{2, length, 1}));
    for (const float v : y.values()) ASSERT_TRUE(std::isfinite(v));
  }
  FcnDiscriminator2d image(3, {2, 2, 2, 2});
  EXPECT_EQ(image(Tensor::full({1, 7, 45, 3}, 0.5f)).shape(), (Shape{1, 7, 45, 1}));
  EXPECT_THROW(signal(Tensor::zeros({1, 64, 2})), Error);
  EXPECT_THROW(FcnDiscriminator1d(0), Error);
  try {
    make_discriminator2d("unet", 3);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.sentence(), "there is no such discriminator as 'unet'; here they are fcn");
  }
}

TEST(WindowedMlp, forward_loss_and_all_gradients_are_pytorchs) {
  const TensorFile golden = golden_of("windowed_mlp");
  const AnyModule net(WindowedMlp({.in = 2, .out = 4, .radius = 3, .hidden = {6, 5}}));
  for (const bool fused : {false, true})
    expect_golden(net, golden, [&](const Tensor& x) {
      for (NamedTensor t : net.tensors()) t.tensor.clear_grad();
      return fused ? cross_entropy_of(net, x, *golden.find("target")) : cross_entropy(net(x), *golden.find("target"));
    });
}

TEST(WindowedMlp, counts_lengths_and_wrong_use) {
  set_seed(3);
  EXPECT_EQ(make_signal1d_model("mlp", {.in = 1, .out = 5}).parameter_count(),
            65 * 256 + 256 + 256 * 128 + 128 + 128 * 5 + 5);
  const AnyModule net = make_signal1d_model("mlp", {.in = 2, .out = 3, .channels = {4}, .radius = 5});
  EXPECT_EQ(net.parameter_count(), 11 * 2 * 4 + 4 + 4 * 3 + 3);
  for (const int64_t length : {1, 4, 30}) EXPECT_EQ(net(Tensor::zeros({2, length, 2})).shape(), (Shape{2, length, 3}));
  EXPECT_THROW(WindowedMlp({.hidden = {}}), Error);
  EXPECT_THROW(WindowedMlp({.radius = -1}), Error);
  EXPECT_THROW(WindowedMlp({.hidden = {0}}), Error);
}

}  // namespace
}  // namespace kern::models
