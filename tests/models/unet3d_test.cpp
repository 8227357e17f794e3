#include "models/unet3d.h"

#include <cmath>

#include "engine/dry_run.h"
#include "engine/random.h"
#include "layers/head_loss.h"
#include "tests/support/error_of.h"
#include "tests/support/model_golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {

TEST(UNet3d, has_the_published_number_of_parameters) {
  const DryRun without_values;
  UNet3d published({.norm = false}), ours({});
  EXPECT_EQ(parameter_count(published), 1459585);  // FaultSeg3D's 1.46 M
  EXPECT_EQ(parameter_count(ours), 1460993);       // and two for every channel that is normalised
}

// tests/models/make_volumes_golden.py
TEST(UNet3d, forward_loss_and_all_gradients_are_pytorchs) {
  const auto golden = [](const char* file) {
    return load_tensors(testing::source_file(std::string("tests/models/goldens/") + file));
  };
  kern::testing::expect_as_pytorch(AnyModule(UNet3d({.in = 1, .out = 2, .channels = {2, 3, 4}})),
                                   golden("unet3d.safetensors"));
  kern::testing::expect_as_pytorch(AnyModule(UNet3d({.in = 2, .out = 2, .channels = {2, 4}, .norm = false})),
                                   golden("unet3d_published.safetensors"));
}

TEST(UNet3d, takes_any_size_and_gives_every_parameter_a_gradient) {
  for (const bool norm : {true, false}) {
    set_seed(3);
    UNet3d net({.in = 2, .out = 3, .channels = {3, 4, 5}, .norm = norm, .dropout = 0.2f});
    const Tensor x = Tensor::full({2, 5, 3, 6, 2}, 0.5f), target = Tensor::zeros({2, 5, 3, 6}, {.dtype = DType::i32});
    const Tensor y = net(x);
    EXPECT_EQ(y.shape(), (Shape{2, 5, 3, 6, 3}));
    backward(cross_entropy(y, target));
    for (const auto& p : named_parameters(net)) EXPECT_TRUE(p.tensor.grad()) << p.name;
  }
}

TEST(UNet3d, fused_and_op_by_op_are_the_same_network) {
  auto step = [](bool fused, int64_t d) {
    set_fusion(fused);
    set_seed(4);
    const AnyModule net(UNet3d({.in = 1, .out = 2, .channels = {4, 6}, .dropout = 0.3f}));
    EXPECT_TRUE(net.headed());
    RandomSequence r(1, RandomStream::noise);
    Tensor x = Tensor::empty({2, d, 4, 6, 1}), target = Tensor::empty({2, d, 4, 6}, {.dtype = DType::i32});
    for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = r.normal();
    for (int64_t i = 0; i < target.size(); ++i) target.mutate<int32_t>()[i] = int32_t(r.below(2));
    const Tensor loss = cross_entropy_of(net, x, target);
    backward(loss);
    std::vector<float> all{loss.item()};
    for (const auto& p : net.tensors()) {
      const auto v = p.trained ? p.tensor.grad().values() : p.tensor.values();
      all.insert(all.end(), v.begin(), v.end());
    }
    set_fusion(true);
    return all;
  };
  for (const int64_t d : {4, 3}) {  // without and with padding
    const auto fused = step(true, d), plain = step(false, d);
    ASSERT_EQ(fused.size(), plain.size());
    for (size_t i = 0; i < fused.size(); ++i) ASSERT_TRUE(std::abs(fused[i] - plain[i]) <= 1e-4f) << i;
  }
}

TEST(UNet3d, says_what_it_takes) {
  EXPECT_THROW(UNet3d({.channels = {8}}), Error);
  EXPECT_THROW(UNet3d({.dropout = 1}), Error);
  EXPECT_THROW(UNet3d({.channels = {8, 0}}), Error);
  UNet3d net({.channels = {4, 8}});
  EXPECT_EQ(kern::testing::error_of([&] {
              net(Tensor::zeros({1, 8, 8, 1}));
            }),
            "the 3-D U-Net takes [N,D,H,W,1], got [1,8,8,1]");
}

}  // namespace
}  // namespace kern::models
