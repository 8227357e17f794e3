#include "models/conv_autoencoder.h"

#include <gtest/gtest.h>

#include "engine/ops/mse.h"

namespace kern::models {
namespace {

TEST(ConvAutoencoder, counts_and_gives_every_parameter_a_gradient) {
  ConvAutoencoder net(ConvAutoencoderConfig{});
  EXPECT_EQ(parameter_count(net), 266499);
  const Tensor x = Tensor::full({2, 16, 8, 3}, 0.25f), y = net(x);
  EXPECT_EQ(y.shape(), x.shape());
  for (const float v : y.values()) ASSERT_TRUE(v > 0 && v < 1);
  backward(mse(y, x));
  for (const auto& p : named_parameters(net)) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

TEST(ConvAutoencoder, says_what_it_takes) {
  ConvAutoencoder net(ConvAutoencoderConfig{});
  EXPECT_THROW(net(Tensor::zeros({1, 12, 16, 3})), Error);
  EXPECT_THROW(net(Tensor::zeros({1, 16, 16, 1})), Error);
  EXPECT_THROW(ConvAutoencoder({.channels = {}}), Error);
}

}  // namespace
}  // namespace kern::models
