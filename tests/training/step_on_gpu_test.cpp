// A training step on a GPU, emulated or real: recorded it gives the bits of the eager one, and the losses of the CPU
// within tolerances. Without waiting for the GPU.
#include <gtest/gtest.h>

#include "engine/ops/mse.h"
#include "tests/support/small_models.h"
#include "training/segmentation_loss.h"
#include "training/supervised.h"

namespace kern::training {
namespace {
using namespace kern::testing;
using Last = StepGraphs::Last;

struct Outcome {
  std::vector<double> losses;
  std::vector<std::vector<float>> tensors;  // parameters and buffers, at the end
  std::vector<Last> how;
  bool operator==(const Outcome& o) const { return losses == o.losses && tensors == o.tensors; }
};

// The loss is read a step late, as the loop does. Every third batch is a smaller one.
Outcome train(const SmallModel& m, Device device, int steps, bool graphs = true, int accumulate = 1) {
  set_graphs(graphs);
  set_seed(7);
  const AnyModule network = m.make();
  network.move_to(device);
  network.set_training(true);
  Optimiser optimiser({{.parameters = network.parameters()}}, AdamOptions{.weight_decay = 0.01, .decoupled = true},
                      0.01);
  Supervised method(network, optimiser, {.clip = 0.2, .accumulate = accumulate});
  StepGraphs own(device);
  Shape smaller = m.input;
  smaller[0] = 1;
  Outcome outcome;
  StepLoss before;
  for (int i = 0; i < steps; ++i) {
    optimiser.set_lr(0.01 / (1 + i));
    const Shape& shape = i % 3 == 2 ? smaller : m.input;
    StepLoss loss;
    if (m.classes) {
      int part = 0;
      loss = method
                 .step([&] {
                   const SmallBatch b = small_batch(m, shape, uint32_t(i * accumulate + part++));
                   return LabelledBatch{b.x, b.target};
                 })
                 .loss;
      outcome.how.push_back(method.last());
    } else {
      optimiser.prepare_step();
      const auto out = own.run({small_batch(m, shape, uint32_t(i)).x}, [&](const std::vector<Tensor>& in) {
        const Tensor l = mse(network(in[0]), in[0]);
        backward(l);
        optimiser.clip_gradient_norm(0.2);
        optimiser.apply_step();
        return std::vector<Tensor>{l};
      });
      loss.add(out[0], 1);
      outcome.how.push_back(own.last());
    }
    default_generator().advance();
    EXPECT_EQ(loss.late(), device == Device::cuda);
    if (i > 0) outcome.losses.push_back(before.value());
    before = std::move(loss);
  }
  outcome.losses.push_back(before.value());
  for (const NamedTensor& t : network.tensors()) outcome.tensors.push_back(t.tensor.values());
  set_graphs(true);
  return outcome;
}

class StepOnGpu : public ::testing::TestWithParam<SmallModel> {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
  }
};

TEST_P(StepOnGpu, recorded_is_eager_to_the_bit) {
  const Outcome eager = train(GetParam(), Device::cuda, 6, false), recorded = train(GetParam(), Device::cuda, 6);
  EXPECT_EQ(eager.losses, recorded.losses);
  EXPECT_TRUE(eager == recorded) << "parameters or buffers differ";
  EXPECT_EQ(eager.how, std::vector<Last>(6, Last::eager));
  EXPECT_EQ(recorded.how, (std::vector<Last>{Last::eager, Last::recorded, Last::eager, Last::replayed, Last::replayed,
                                             Last::recorded}));
}

TEST_P(StepOnGpu, twenty_losses_stay_with_those_of_the_cpu) {
  const Outcome here = train(GetParam(), Device::cpu, 20), there = train(GetParam(), Device::cuda, 20);
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(there.losses[i], here.losses[i], 1e-5 + 2e-3 * here.losses[i]) << i;
}
INSTANTIATE_TEST_SUITE_P(Models, StepOnGpu, ::testing::ValuesIn(kSmallModels), name_of);

TEST(StepOnGpu, batches_that_make_one_update_are_one_record) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const Outcome eager = train(kSmallModels[0], Device::cuda, 5, false, 2),
                recorded = train(kSmallModels[0], Device::cuda, 5, true, 2),
                here = train(kSmallModels[0], Device::cpu, 5, true, 2);
  EXPECT_TRUE(eager == recorded);
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(recorded.losses[i], here.losses[i], 1e-4 * here.losses[i]) << i;
}

// Every loss that a configuration can ask for may be recorded.
TEST(StepOnGpu, composed_losses) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const SmallModel four = kSmallModels[1],
                   two{"of one output",
                       [] {
                         return AnyModule(models::UNet2d({.in = 3, .out = 1, .channels = {4, 8}, .dropout = 0.3f}));
                       },
                       {2, 10, 12, 3},
                       2};
  auto losses = [&](const SmallModel& m, const LossOptions& options, std::vector<float> weights, Device device) {
    set_seed(7);
    const AnyModule network = m.make();
    network.move_to(device);
    Optimiser optimiser({{.parameters = network.parameters()}}, SgdOptions{}, 0.1);
    const SegmentationLoss loss(options, m.classes, std::move(weights), device);
    Supervised method(network, optimiser, {.loss = loss});
    const SmallBatch b = small_batch(m, m.input);
    std::vector<double> out;
    for (int i = 0; i < 4; ++i) {
      out.push_back(method.step([&] { return LabelledBatch{b.x, b.target}; }).loss.value());
      default_generator().advance();
    }
    EXPECT_EQ(method.last(), device == Device::cuda ? Last::replayed : Last::none);
    return out;
  };
  const auto compare = [&](const SmallModel& m, const LossOptions& options, const std::vector<float>& weights) {
    const auto here = losses(m, options, weights, Device::cpu), there = losses(m, options, weights, Device::cuda);
    for (size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-4 * here[i]) << m.name << i;
  };
  compare(four, {.terms = {{"ce", 1}, {"dice", 0.5}, {"focal", 1}, {"tversky", 2}}, .smoothing = 0.1}, {1, 2, 1, 1});
  compare(two, {.terms = {{"bce", 1}, {"balanced_bce", 2}, {"dice", 0.5}}}, {1, 3});
}

TEST(StepOnGpu, parameters_frozen_meanwhile_are_left_alone_by_a_record) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const SmallModel& m = kSmallModels[3];
  set_seed(7);
  const AnyModule network = m.make();
  network.move_to(Device::cuda);
  Optimiser optimiser({{.parameters = network.parameters()}}, SgdOptions{}, 0.1);
  Supervised method(network, optimiser, {});
  const SmallBatch b = small_batch(m, m.input);
  const auto next = [&] { return LabelledBatch{b.x, b.target}; };
  for (int i = 0; i < 3; ++i) method.step(next);
  EXPECT_EQ(method.last(), Last::replayed);
  Tensor first = network.parameters()[0].tensor;
  first.require_grad(false);
  const std::vector<float> before = first.values();
  for (int i = 0; i < 3; ++i) method.step(next);
  EXPECT_EQ(method.last(), Last::replayed);
  EXPECT_EQ(first.values(), before);
}

}  // namespace
}  // namespace kern::training
