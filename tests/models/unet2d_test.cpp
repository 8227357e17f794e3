#include "models/unet2d.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/random.h"
#include "layers/head_loss.h"

namespace kern::models {
namespace {

TEST(UNet2d, has_the_published_number_of_parameters) {
  UNet2d road({.in = 3, .out = 35, .channels = {32, 64, 128}, .dropout = 0.3f, .head_conv = true});
  EXPECT_EQ(parameter_count(road), 478243);  // the road scenes' U-Net from scratch
  UNet2d plain({.in = 3, .out = 2, .channels = {16, 32, 64, 128}});
  EXPECT_EQ(parameter_count(plain), 483458);
  UNet2d classic({.in = 1, .out = 2, .channels = {64, 128, 256, 512, 1024}});
  EXPECT_EQ(parameter_count(classic), 31042434);
}

TEST(UNet2d, takes_any_size_and_gives_every_parameter_a_gradient) {
  set_seed(3);
  UNet2d net({.in = 2, .out = 3, .channels = {4, 6, 8}, .dropout = 0.2f, .head_conv = true});
  const Tensor x = Tensor::full({2, 13, 10, 2}, 0.5f), target = Tensor::zeros({2, 13, 10}, {.dtype = DType::i32});
  const Tensor y = net(x);
  EXPECT_EQ(y.shape(), (Shape{2, 13, 10, 3}));
  backward(cross_entropy(y, target));
  for (const auto& p : named_parameters(net)) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

TEST(UNet2d, fused_and_op_by_op_are_the_same_network) {
  auto step = [](bool fused, int64_t h) {
    set_fusion(fused);
    set_seed(4);
    const AnyModule net(UNet2d({.in = 3, .out = 4, .channels = {8, 16}, .dropout = 0.3f}));
    EXPECT_TRUE(net.headed());
    RandomSequence r(1, RandomStream::noise);
    Tensor x = Tensor::empty({2, h, 8, 3}), target = Tensor::empty({2, h, 8}, {.dtype = DType::i32});
    for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = r.normal();
    for (int64_t i = 0; i < target.size(); ++i) target.mutate<int32_t>()[i] = int32_t(r.below(4));
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
  for (const int64_t h : {12, 11}) {  // without and with padding
    const auto fused = step(true, h), plain = step(false, h);
    ASSERT_EQ(fused.size(), plain.size());
    for (size_t i = 0; i < fused.size(); ++i) ASSERT_TRUE(std::abs(fused[i] - plain[i]) <= 1e-4f) << i;
  }
}

TEST(UNet2d, says_what_it_takes) {
  EXPECT_THROW(UNet2d({.channels = {8}}), Error);
  EXPECT_THROW(UNet2d({.dropout = 1}), Error);
  UNet2d net({.in = 3, .out = 2, .channels = {4, 8}});
  EXPECT_THROW(net(Tensor::zeros({1, 8, 8, 1})), Error);
}

}  // namespace
}  // namespace kern::models
