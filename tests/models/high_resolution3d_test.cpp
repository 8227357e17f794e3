#include "models/high_resolution3d.h"

#include <cmath>

#include "engine/dry_run.h"
#include "engine/ops/cross_entropy.h"
#include "engine/random.h"
#include "layers/fusion.h"
#include "tests/support/error_of.h"
#include "tests/support/model_golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {

const HighResolution3dConfig kFewBlocks{.out = 2, .channels = 2, .bottlenecks = 2, .modules = 2, .blocks_a_module = 1};

Tensor voxels(const Shape& shape, uint32_t seed) {
  RandomSequence random(seed, RandomStream::noise);
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = random.normal();
  return x;
}

TEST(HighResolution3d, has_the_published_number_of_parameters) {
  const DryRun without_values;
  HighResolution3d net({});
  EXPECT_EQ(parameter_count(net), 562625);
}

// tests/models/make_volumes_golden.py
TEST(HighResolution3d, forward_loss_and_all_gradients_are_pytorchs) {
  HighResolution3dConfig config = kFewBlocks;
  config.drop_path = 0;
  kern::testing::expect_as_pytorch(
      AnyModule(HighResolution3d(config)),
      load_tensors(testing::source_file("tests/models/goldens/high_resolution3d.safetensors")));
}

TEST(HighResolution3d, takes_any_size_and_gives_every_parameter_a_gradient) {
  set_seed(3);
  HighResolution3d net(kFewBlocks);
  const Tensor y = net(voxels({2, 5, 3, 6, 1}, 1));
  EXPECT_EQ(y.shape(), (Shape{2, 5, 3, 6, 2}));
  backward(cross_entropy(y, Tensor::zeros({2, 5, 3, 6}, {.dtype = DType::i32})));
  for (const auto& p : named_parameters(net)) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

TEST(HighResolution3d, drops_branches_in_training_alone) {
  set_seed(4);
  HighResolution3dConfig config = kFewBlocks;
  config.drop_path = 0.5;
  HighResolution3d dropped(config);
  const Tensor x = voxels({4, 8, 8, 8, 1}, 2);
  default_generator().set(1, 1);
  const auto first = dropped(x).values();
  default_generator().set(1, 2);
  EXPECT_NE(dropped(x).values(), first);
  set_training(dropped, false);
  EXPECT_EQ(dropped(x).values(), dropped(x).values());
}

TEST(HighResolution3d, fused_and_op_by_op_are_the_same_network) {
  auto step = [](bool fused) {
    set_fusion(fused);
    set_seed(5);
    HighResolution3d net(kFewBlocks);
    const Tensor loss =
        cross_entropy(net(voxels({2, 4, 8, 5, 1}, 3)), Tensor::zeros({2, 4, 8, 5}, {.dtype = DType::i32}));
    backward(loss);
    std::vector<float> all{loss.item()};
    for (const auto& p : named_tensors(net)) {
      const auto v = p.trained ? p.tensor.grad().values() : p.tensor.values();
      all.insert(all.end(), v.begin(), v.end());
    }
    set_fusion(true);
    return all;
  };
  const auto fused = step(true), plain = step(false);
  ASSERT_EQ(fused.size(), plain.size());
  for (size_t i = 0; i < fused.size(); ++i) ASSERT_TRUE(std::abs(fused[i] - plain[i]) <= 2e-4f) << i;
}

// As far as reach() says, but for what is lost in rounding on the last voxel, and no farther, whatever the parity of the
// voxel.
TEST(HighResolution3d, sees_as_far_as_it_says) {
  set_seed(6);
  HighResolution3d net({.channels = 2, .bottlenecks = 1, .modules = 1, .blocks_a_module = 1});
  net(voxels({2, 16, 16, 16, 1}, 4));  // batch norm sees real statistics first
  set_training(net, false);
  const int64_t D = 96;
  const Tensor x = voxels({1, D, 4, 4, 1}, 5);
  const auto before = net(x).values();
  int64_t farthest = 0;
  for (const int64_t at : {44, 45, 46, 47}) {
    Tensor changed = x.clone();
    for (int64_t i = 0; i < 16; ++i) changed.mutate()[at * 16 + i] += 100;
    const auto after = net(changed).values();
    for (int64_t i = 0; i < D * 16; ++i)
      if (before[size_t(i)] != after[size_t(i)]) farthest = std::max(farthest, std::abs(i / 16 - at));
  }
  EXPECT_LE(farthest, net.reach());
  EXPECT_GE(farthest, net.reach() - 1);
  EXPECT_EQ(HighResolution3d({}).reach(), 216);
}

TEST(HighResolution3d, says_what_it_takes) {
  EXPECT_THROW(HighResolution3d({.channels = 0}), Error);
  EXPECT_THROW(HighResolution3d({.drop_path = 1}), Error);
  EXPECT_THROW(HighResolution3d({.modules = 0}), Error);
  HighResolution3d net(kFewBlocks);
  EXPECT_EQ(kern::testing::error_of([&] {
              net(Tensor::zeros({1, 8, 8, 1}));
            }),
            "the high-resolution network takes [N,D,H,W,1], got [1,8,8,1]");
}

}  // namespace
}  // namespace kern::models
