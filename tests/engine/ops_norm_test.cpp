#include "engine/ops/batch_norm.h"
#include "engine/ops/group_norm.h"
#include "engine/ops/instance_norm.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(InstanceNorm, gradients) {
  check_gradients({random_tensor({2, 5, 3}, 1)}, [](const std::vector<Tensor>& in) { return instance_norm(in[0]); });
  auto affine = [](const std::vector<Tensor>& in) { return instance_norm(in[0], in[1], in[2], 1e-3f); };
  check_gradients({random_tensor({2, 3, 2, 3}, 1), random_tensor({3}, 2), random_tensor({3}, 3)}, affine);
  check_gradients({pitched(random_tensor({2, 6, 3}, 1)), random_tensor({3}, 2), random_tensor({3}, 3)}, affine);
}

TEST(InstanceNorm, normalises_each_channel_of_each_sample_into_a_slot) {
  const int64_t widths[] = {1, 2};
  const std::vector<Tensor> slices = Tensor::empty_channel_slices({1, 4}, widths);
  const Tensor x = Tensor::from({1, 4, 2}, std::vector<float>{1, 10, 1, 30, 3, 10, 3, 30});
  const Tensor y = instance_norm(x, {}, {}, 0, slices[1]);
  EXPECT_EQ(y.values(), (std::vector<float>{-1, -1, -1, 1, 1, -1, 1, 1}));
  EXPECT_EQ(y.pitch(), 3);
}

TEST(InstanceNorm, wrong_shapes_are_sentences) {
  EXPECT_EQ(error_of([] {
              instance_norm(Tensor::zeros({2, 1, 3}));
            }).substr(0, 79),
            "instance_norm: statistics over one position are meaningless, input is [2,1,3]; ");
  EXPECT_EQ(error_of([] {
              instance_norm(Tensor::zeros({2, 3}));
            }),
            "instance_norm: input must be [N,L,C] or [N,H,W,C], got [2,3]");
  EXPECT_EQ(error_of([] {
              instance_norm(Tensor::zeros({2, 4, 3}), Tensor::zeros({2}));
            }),
            "instance_norm: weight must be [3], got [2]");
}

TEST(BatchNorm, gradients_in_training_and_with_frozen_statistics) {
  for (bool training : {true, false}) {
    auto affine = [&](const std::vector<Tensor>& in) {
      return batch_norm(in[0], in[1], in[2], Tensor::full({3}, 0.2f), Tensor::full({3}, 0.5f), {.training = training});
    };
    check_gradients({random_tensor({4, 2, 3}, 1), random_tensor({3}, 2), random_tensor({3}, 3)}, affine);
    check_gradients({pitched(random_tensor({2, 2, 2, 3}, 1)), random_tensor({3}, 2), random_tensor({3}, 3)}, affine);
    check_gradients({random_tensor({6, 3}, 1)}, [&](const std::vector<Tensor>& in) {
      return batch_norm(in[0], {}, {}, Tensor::full({3}, 0.2f), Tensor::full({3}, 0.5f), {.training = training});
    });
  }
}

TEST(BatchNorm, running_statistics_follow_in_training_and_stay_in_evaluation) {
  Tensor mean = Tensor::zeros({1}), variance = Tensor::full({1}, 1);
  const Tensor x = Tensor::from({2, 1}, std::vector<float>{1, 3});
  batch_norm(x, {}, {}, mean, variance, {.momentum = 0.5f});
  EXPECT_EQ(mean.item(), 1);
  EXPECT_EQ(variance.item(), 1.5f);
  const uint64_t version = mean.version();
  const Tensor y = batch_norm(x, {}, {}, mean, variance, {.training = false, .eps = 0.75f});
  EXPECT_EQ(mean.version(), version);
  EXPECT_EQ(mean.item(), 1);
  EXPECT_EQ(y.values()[0], 0);
  EXPECT_NEAR(y.values()[1], 2 / 1.5, 1e-6);
}

// What evaluation read is kept for its backward: a training step in between changes the running statistics, not the
// gradient.
TEST(BatchNorm, frozen_backward_keeps_the_statistics_of_its_forward) {
  Tensor mean = Tensor::zeros({1}), variance = Tensor::full({1}, 4), x = Tensor::from({2, 1}, std::vector<float>{1, 3});
  x.require_grad();
  const Tensor y = batch_norm(x, {}, {}, mean, variance, {.training = false, .eps = 0});
  batch_norm(x.detach(), {}, {}, mean, variance);
  backward(y, Tensor::full({2, 1}, 1));
  EXPECT_EQ(x.grad().values(), (std::vector<float>{0.5f, 0.5f}));
}

TEST(BatchNorm, wrong_arguments_are_sentences) {
  const Tensor x = Tensor::zeros({2, 4, 3});
  EXPECT_EQ(error_of([&] { batch_norm(x, {}, {}, {}, {}, {.training = false}); }),
            "batch_norm: without training the running mean and variance must be given");
  EXPECT_EQ(error_of([&] { batch_norm(x, Tensor::zeros({2}), {}, {}, {}); }),
            "batch_norm: weight must be [3], got [2]");
  EXPECT_EQ(error_of([&] { batch_norm(x, {}, {}, Tensor::zeros({2}), Tensor::zeros({3})); }),
            "batch_norm: running mean and variance must be [3], got [2] and [3]");
  EXPECT_EQ(error_of([] {
              batch_norm(Tensor::zeros({1, 3}), {}, {}, {}, {});
            }).substr(0, 83),
            "batch_norm: statistics over one value per channel are meaningless, input is [1,3]; ");
}

TEST(GroupNorm, gradients) {
  check_gradients({random_tensor({2, 5, 4}, 1)}, [](const std::vector<Tensor>& in) { return group_norm(in[0], 2); });
  check_gradients({random_tensor({3, 6}, 1)}, [](const std::vector<Tensor>& in) { return group_norm(in[0], 2); });
  auto affine = [](const std::vector<Tensor>& in) { return group_norm(in[0], 3, in[1], in[2], 1e-3f); };
  check_gradients({random_tensor({2, 3, 2, 6}, 1), random_tensor({6}, 2), random_tensor({6}, 3)}, affine);
  check_gradients({pitched(random_tensor({2, 4, 6}, 1)), random_tensor({6}, 2), random_tensor({6}, 3)}, affine);
}

TEST(GroupNorm, normalises_each_group_of_each_sample_into_a_slot) {
  const int64_t widths[] = {1, 4};
  const std::vector<Tensor> slices = Tensor::empty_channel_slices({1, 2}, widths);
  const Tensor x = Tensor::from({1, 2, 4}, std::vector<float>{1, 3, 10, 30, 3, 1, 30, 10});
  const Tensor y = group_norm(x, 2, {}, {}, 0, slices[1]);
  EXPECT_EQ(y.values(), (std::vector<float>{-1, 1, -1, 1, 1, -1, 1, -1}));
  EXPECT_EQ(y.pitch(), 5);
}

// One group per channel is an instance norm.
TEST(GroupNorm, of_single_channels_is_an_instance_norm) {
  const Tensor x = random_tensor({2, 7, 3}, 1);
  const std::vector<float> a = group_norm(x, 3).values(), b = instance_norm(x).values();
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
}

TEST(GroupNorm, wrong_arguments_are_sentences) {
  EXPECT_EQ(error_of([] {
              group_norm(Tensor::zeros({2, 5, 6}), 4);
            }),
            "group_norm: 4 groups must divide the 6 channels of input [2,5,6]");
  EXPECT_EQ(error_of([] {
              group_norm(Tensor::zeros({2, 3}), 3);
            }),
            "group_norm: statistics over one value are meaningless, input is [2,3] in 3 groups; use fewer groups or a "
            "larger input");
  EXPECT_EQ(error_of([] { group_norm(Tensor::zeros({6}), 3); }),
            "group_norm: input must be [N,C], [N,L,C] or [N,H,W,C], got [6]");
  EXPECT_EQ(error_of([] {
              group_norm(Tensor::zeros({2, 5, 6}), 3, Tensor::zeros({3}));
            }),
            "group_norm: weight must be [6], got [3]");
}

}  // namespace
}  // namespace kern
