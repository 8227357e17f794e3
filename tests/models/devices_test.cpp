// The same network on the CPU and on a GPU (emulated or real): the same weights and dropout masks, and losses that
// stay together over training steps.
#include <gtest/gtest.h>

#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "engine/ops/mse.h"
#include "kernels/common/precision.h"
#include "layers/head_loss.h"
#include "tests/support/small_models.h"

namespace kern {
namespace {

using namespace kern::testing;

class OnDevices : public ::testing::TestWithParam<SmallModel> {};

// Losses of steps of plain gradient descent, whose rate is high enough for what differs to show.
std::vector<double> train(const SmallModel& s, Device device, int steps) {
  set_seed(7);
  const AnyModule network = s.make();
  network.move_to(device);
  const SmallBatch batch = small_batch(s, s.input);
  const Tensor x = batch.x.to(device), target = s.classes ? batch.target.to(device) : Tensor();
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
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const std::vector<double> here = train(GetParam(), Device::cpu, 5), there = train(GetParam(), Device::cuda, 5);
  EXPECT_LT(here.back(), here.front());
  for (size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-5 + 1e-4 * here[i]) << "step " << i;
  EXPECT_EQ(train(GetParam(), Device::cuda, 2), (std::vector<double>{there[0], there[1]})) << "not the same bits again";
}
// precision=tf32 rounds a convolution's factors, bf16 keeps activations so too: weights, sums and statistics stay
// float, and the loss falls as it does without.
TEST(OnDevices, rounded_products_train_alike) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const SmallModel wide{"wide",
                        [] {
                          return AnyModule(models::UNet2d({.in = 3, .out = 4, .channels = {16, 32}}));
                        },
                        {1, 16, 16, 3},
                        4};
  const std::vector<double> exact = train(wide, Device::cuda, 4);
  EXPECT_LT(exact.back(), exact.front());
  struct Rounded {
    kernels::Precision precision;
    double allowed;
  };
  for (const Rounded r : {Rounded{kernels::Precision::tf32, 1e-3}, Rounded{kernels::Precision::bf16, 1e-2}}) {
    kernels::set_precision(r.precision);
    const std::vector<double> losses = train(wide, Device::cuda, 4);
    kernels::set_precision(kernels::Precision::f32);
    EXPECT_NE(losses.back(), exact.back()) << "nothing was rounded";
    for (size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], exact[i], r.allowed * exact[i]) << "step " << i;
  }
}

// What every kind of layer keeps as bf16 gives losses like those of floats, the same bits again, in less memory.
TEST_P(OnDevices, activations_kept_as_bf16_train_alike) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const std::vector<double> floats = train(GetParam(), Device::cuda, 4);
  kernels::set_precision(kernels::Precision::bf16);
  const std::vector<double> kept = train(GetParam(), Device::cuda, 4), again = train(GetParam(), Device::cuda, 4);
  kernels::set_precision(kernels::Precision::f32);
  EXPECT_LT(kept.back(), kept.front());
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_NEAR(kept[i], floats[i], 0.02 * floats[i]) << "step " << i;
  EXPECT_EQ(kept, again);
}
TEST(OnDevices, activations_kept_as_bf16_take_half_the_memory) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const AnyModule network(models::UNet2d({.in = 3, .out = 4, .channels = {16, 32, 64}}));
  network.move_to(Device::cuda);
  const auto kept_for_backward = [&](kernels::Precision precision) {
    kernels::set_precision(precision);
    const DryRun dry_run;
    const Tensor x = Tensor::zeros({4, 128, 128, 3}, {.device = Device::cuda}),
                 target = Tensor::zeros({4, 128, 128}, {.dtype = DType::i32, .device = Device::cuda});
    const Tensor loss = cross_entropy_of(network, x, target);
    const size_t bytes = dry_run.counters(Device::cuda).live;
    backward(loss);
    kernels::set_precision(kernels::Precision::f32);
    return double(bytes);
  };
  const double floats = kept_for_backward(kernels::Precision::f32), kept = kept_for_backward(kernels::Precision::bf16);
  EXPECT_LT(kept, 0.6 * floats) << floats << " bytes as floats, " << kept << " as bf16";
}

INSTANTIATE_TEST_SUITE_P(Models, OnDevices, ::testing::ValuesIn(kSmallModels), name_of);

}  // namespace
}  // namespace kern
