#include "layers/module.h"

#include <gtest/gtest.h>

#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/relu.h"

namespace kern {
namespace {

struct Block {
  Conv1d conv;
  Relu act;
  std::vector<Conv1d> more;
  std::optional<Conv1d> shortcut;
  Mode mode;
  Block() : conv({.in = 2, .out = 3, .kernel = 3, .padding = 1}) {}
  Tensor operator()(const Tensor& x) { return act(conv(x)); }
  template <class V>
  void visit(V&& v) {
    v("conv", conv), v("act", act), v("more", more), v("shortcut", shortcut), v("mode", mode);
  }
};
static_assert(UnaryModule<Block>);

TEST(Module, visit_names_everything_once) {
  set_seed(1);
  Block b;
  b.more.emplace_back(Conv1dConfig{.in = 1, .out = 1, .kernel = 1, .bias = false});
  b.more.emplace_back(Conv1dConfig{.in = 1, .out = 1, .kernel = 1});
  std::vector<std::string> names;
  for (const auto& t : named_tensors(b)) names.push_back(t.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv.weight", "conv.bias", "more.0.weight", "more.1.weight", "more.1.bias"}));
  EXPECT_EQ(parameter_count(b), 18 + 3 + 1 + 2);
  EXPECT_TRUE(b.mode.training);
  set_training(b, false);
  EXPECT_FALSE(b.mode.training);
  EXPECT_NE(describe(named_tensors(b)).find("24 parameters"), std::string::npos);
}

TEST(Module, same_seed_same_weights) {
  auto weights = [](uint64_t seed) {
    set_seed(seed);
    Block b;
    return b.conv.weight.values();
  };
  EXPECT_EQ(weights(3), weights(3));
  EXPECT_NE(weights(3), weights(4));
  for (float w : weights(3)) EXPECT_LE(std::abs(w), 1 / std::sqrt(6.0f));
}

TEST(Module, frozen_parameters_get_no_gradient) {
  set_seed(1);
  Sequential net(Conv1d({.in = 1, .out = 2, .kernel = 1}), Relu{}, Conv1d({.in = 2, .out = 1, .kernel = 1}));
  set_frozen(net.part<0>(), true);
  const Tensor y = net(Tensor::full({1, 3, 1}, 1));
  backward(y, Tensor::full(y.shape(), 1));
  for (const auto& p : named_parameters(net)) EXPECT_EQ(bool(p.tensor.grad()), p.name[0] == '2') << p.name;
}

TEST(AnyModule, is_the_module) {
  set_seed(1);
  AnyModule any{Sequential(Conv1d({.in = 1, .out = 2, .kernel = 3, .padding = 1}))};
  EXPECT_EQ(any.parameter_count(), 8);
  EXPECT_EQ(any.tensors()[0].name, "0.weight");
  EXPECT_EQ(any(Tensor::full({1, 3, 1}, 1)).shape(), (Shape{1, 3, 2}));
}

TEST(AnyModule, what_is_frozen_gets_no_gradient_and_stays_in_evaluation) {
  set_seed(1);
  AnyModule net{
      Sequential(BatchNorm({.channels = 1}), Conv1d({.in = 1, .out = 1, .kernel = 1}), BatchNorm({.channels = 1}))};
  EXPECT_EQ(net.freeze("0"), 2);
  EXPECT_EQ(net.freeze("nowhere"), 0);
  net.set_training(false);
  net.set_training(true);
  const float values[] = {1, 2, 6};
  const Tensor x = Tensor::from({1, 3, 1}, values);
  const Tensor y = net(x);
  backward(y, Tensor::full(y.shape(), 1));
  for (const auto& t : net.tensors()) {
    EXPECT_EQ(bool(t.tensor.grad()), t.trained && t.name[0] != '0') << t.name;
    if (t.name.ends_with("running_mean")) {
      EXPECT_EQ(t.tensor.item() != 0, t.name[0] != '0') << t.name;
    }
  }
}

TEST(AnyModule, a_norm_held_in_evaluation_is_trained_with_fixed_statistics) {
  AnyModule net{Sequential(BatchNorm({.channels = 1}))};
  net.hold_in_evaluation("0");
  net.set_training(true);
  const float values[] = {1, 2, 6};
  const Tensor y = net(Tensor::from({1, 3, 1}, values));
  EXPECT_NEAR(y.values()[2], 6, 1e-4);
  backward(y, Tensor::full(y.shape(), 1));
  for (const auto& p : net.parameters()) EXPECT_TRUE(p.tensor.grad()) << p.name;
}

TEST(LiesBelow, ends_at_dots) {
  EXPECT_TRUE(lies_below("features.1.weight", "features.1"));
  EXPECT_TRUE(lies_below("features.1", "features.1"));
  EXPECT_FALSE(lies_below("features.10.weight", "features.1"));
  EXPECT_TRUE(lies_below("anything", ""));
}

}  // namespace
}  // namespace kern
