// The same network on the CPU and on a card (emulated or real): the same weights and dropout masks, and losses that
// stay together over training steps.
#include <gtest/gtest.h>

#include "engine/card.h"
#include "engine/ops/mse.h"
#include "engine/random.h"
#include "layers/head_loss.h"
#include "models/conv_autoencoder.h"
#include "models/lstm_tagger.h"
#include "models/unet1d.h"
#include "models/unet2d.h"

namespace kern {
namespace {

struct Subject {
  const char* name;
  AnyModule (*make)();
  Shape input;
  int classes;  // 0: reconstructs its input
};
const Subject kSubjects[] = {
    {"UNet1d",
     [] {
       return AnyModule(models::UNet1d({.in = 2, .out = 3, .channels = {1, 4, 8}, .strides = {1, 1}}));
     },
     {2, 21, 2},
     3},
    {"UNet2d",
     [] {
       return AnyModule(models::UNet2d({.in = 3, .out = 4, .channels = {4, 8}, .dropout = 0.3f}));
     },
     {2, 10, 12, 3},
     4},
    {"ConvAutoencoder",
     [] {
       return AnyModule(models::ConvAutoencoder({.in = 3, .channels = {4, 8}}));
     },
     {2, 8, 8, 3},
     0},
    {"LstmTagger",
     [] { return AnyModule(models::LstmTagger({.in = 2, .out = 3, .hidden = 6, .layers = 2})); },
     {2, 9, 2},
     3},
};

class OnDevices : public ::testing::TestWithParam<Subject> {};

// Losses of steps of plain gradient descent, whose rate is high enough for what differs to show.
std::vector<double> train(const Subject& s, Device device, int steps) {
  set_seed(7);
  const AnyModule network = s.make();
  network.move_to(device);
  RandomSequence random(3, RandomStream::noise);
  Tensor x = Tensor::empty(s.input), target;
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = random.normal();
  if (s.classes) {
    Shape positions;
    for (int i = 0; i + 1 < s.input.rank(); ++i) positions.push_back(s.input[i]);
    target = Tensor::empty(positions, {.dtype = DType::i32});
    for (int64_t i = 0; i < target.size(); ++i)
      target.mutate<int32_t>()[i] = int32_t(random.below(uint32_t(s.classes)));
    target = target.to(device);
  }
  x = x.to(device);
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) {
    const Tensor loss = s.classes ? cross_entropy_of(network, x, target) : mse(network(x), x);
    backward(loss);
    losses.push_back(double(loss.item()));
    for (NamedTensor p : network.parameters()) {
      Tensor moved = p.tensor.to(Device::cpu).clone();
      const std::vector<float> gradient = p.tensor.grad().values();
      for (int64_t k = 0; k < moved.size(); ++k) moved.mutate()[k] -= 0.05f * gradient[size_t(k)];
      p.tensor.copy_from(moved);
      p.tensor.clear_grad();
    }
    default_generator().advance();
  }
  return losses;
}

TEST_P(OnDevices, losses_stay_together) {
  std::string why;
  if (!card_available(&why)) GTEST_SKIP() << why;
  const std::vector<double> here = train(GetParam(), Device::cpu, 5), there = train(GetParam(), Device::cuda, 5);
  EXPECT_LT(here.back(), here.front());
  for (size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-5 + 1e-4 * here[i]) << "step " << i;
  EXPECT_EQ(train(GetParam(), Device::cuda, 2), (std::vector<double>{there[0], there[1]})) << "not the same bits again";
}
INSTANTIATE_TEST_SUITE_P(Models, OnDevices, ::testing::ValuesIn(kSubjects),
                         [](const auto& subject) { return std::string(subject.param.name); });

}  // namespace
}  // namespace kern
