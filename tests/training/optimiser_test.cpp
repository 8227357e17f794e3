#include "training/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/sum.h"
#include "engine/ops/unary.h"
#include "layers/conv1d.h"

namespace kern::training {
namespace {

Tensor leaf(std::vector<float> v) {
  Tensor t = Tensor::from({int64_t(v.size())}, v);
  t.require_grad();
  return t;
}
// Gives p the gradient g, as backward would.
void set_gradient(Tensor& p, std::vector<float> g) { backward(p, Tensor::from({int64_t(g.size())}, g)); }

TEST(Optimiser, adam_by_hand) {
  Tensor p = leaf({1, -2});
  Optimiser o({{.parameters = {{"p", p, true}}}}, AdamOptions{}, 0.1);
  set_gradient(p, {4, -0.5f});
  o.step();
  // The first step of Adam is lr * sign(g), whatever the size of g.
  EXPECT_NEAR(p.values()[0], 0.9f, 1e-6);
  EXPECT_NEAR(p.values()[1], -1.9f, 1e-6);
  EXPECT_FALSE(p.grad()) << "a step uses its gradients up";
  set_gradient(p, {0, 0});
  o.step();
  const double m = 0.9 * 0.1 * 4, v = 0.999 * 0.001 * 16;
  const double expected = 0.9 - 0.1 * (m / (1 - 0.81)) / (std::sqrt(v / (1 - 0.999 * 0.999)) + 1e-8);
  EXPECT_NEAR(p.values()[0], expected, 1e-6);
}

TEST(Optimiser, sgd_momentum_groups_and_frozen_parameters) {
  Tensor a = leaf({1}), b = leaf({1}), frozen = leaf({1});
  Optimiser o({{.parameters = {{"a", a, true}, {"frozen", frozen, true}}},
               {.parameters = {{"b", b, true}}, .lr_scale = 0.1, .weight_decay = 1.0}},
              SgdOptions{.momentum = 0.5}, 1);
  for (int i = 0; i < 2; ++i) {
    set_gradient(a, {1});
    set_gradient(b, {0});
    o.step();
  }
  EXPECT_FLOAT_EQ(a.values()[0], 1 - 1 - 1.5f);
  EXPECT_EQ(frozen.values()[0], 1);
  EXPECT_LT(b.values()[0], 1);  // decay alone
  EXPECT_NEAR(b.values()[0], 1 - 0.1 - 0.1 * (0.5 + 0.9), 1e-6);
}

// torch.optim.SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), four steps down sum of p^2.
TEST(Optimiser, paths_have_rates_of_their_own_and_what_is_frozen_is_left_out) {
  set_seed(1);
  const Conv1dConfig one{.in = 1, .out = 1, .kernel = 1, .bias = false};
  const AnyModule net{Sequential(Conv1d(one), Conv1d(one), Conv1d(one))};
  net.freeze("1");
  const auto groups = parameter_groups(net, {{"0", 0.1}, {"1", 0.5}});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].parameters[0].name, "0.weight");
  EXPECT_EQ(groups[0].lr_scale, 0.1);
  EXPECT_EQ(groups[1].parameters[0].name, "2.weight");
  EXPECT_EQ(groups[1].lr_scale, 1);
  std::vector<float> before;
  for (const NamedTensor& t : net.tensors()) before.push_back(t.tensor.item());
  Optimiser optimiser(groups, SgdOptions{.momentum = 0}, 1);
  const Tensor y = net(Tensor::full({1, 1, 1}, 1));
  backward(y, Tensor::full(y.shape(), 1));
  optimiser.step();
  const auto after = net.tensors();
  EXPECT_NEAR(after[0].tensor.item(), before[0] - 0.1f * before[1] * before[2], 1e-6);
  EXPECT_EQ(after[1].tensor.item(), before[1]);
  EXPECT_NEAR(after[2].tensor.item(), before[2] - before[0] * before[1], 1e-6);
  EXPECT_THROW(parameter_groups(net, {{"encoder", 0.1}}), Error);
}

TEST(Optimiser, nesterov_is_pytorchs) {
  Tensor p = leaf({1, -2});
  Optimiser o({{.parameters = {{"p", p, true}}}}, SgdOptions{.momentum = 0.9, .weight_decay = 0.01, .nesterov = true},
              0.1);
  for (int i = 0; i < 4; ++i) {
    set_gradient(p, {2 * p.values()[0], 2 * p.values()[1]});
    o.step();
  }
  EXPECT_NEAR(p.values()[0], -0.32715126872062683, 1e-6);
  EXPECT_NEAR(p.values()[1], 0.6543025374412537, 1e-6);
}

TEST(Optimiser, clips_the_joint_norm) {
  Tensor a = leaf({0}), b = leaf({0});
  Optimiser o({{.parameters = {{"a", a, true}, {"b", b, true}}}}, SgdOptions{}, 1);
  set_gradient(a, {3});
  set_gradient(b, {-4});
  o.clip_gradient_norm(1);
  EXPECT_DOUBLE_EQ(o.gradient_norm(), 5);
  o.step();
  EXPECT_NEAR(a.values()[0], -0.6, 1e-6);
  EXPECT_NEAR(b.values()[0], 0.8, 1e-6);
  set_gradient(a, {3});
  o.step();
  EXPECT_NEAR(a.values()[0], -3.6, 1e-6) << "the limit held for one step";
}

TEST(Optimiser, state_goes_round_and_continues_bit_for_bit) {
  auto run = [](int first, int second) {
    Tensor p = leaf({1, 2, 3});
    std::optional<Optimiser> o(std::in_place, std::vector<ParameterGroup>{{.parameters = {{"p", p, true}}}},
                               AdamOptions{}, 0.01);
    auto steps = [&](int n) {
      for (int i = 0; i < n; ++i) {
        set_gradient(p, {p.values()[0], std::sin(p.values()[1]), 1});
        o->step();
      }
    };
    steps(first);
    const auto path = std::filesystem::path(::testing::TempDir()) / "kern_optimiser.safetensors";
    save_tensors(path, o->state("o"), {});
    o.emplace(std::vector<ParameterGroup>{{.parameters = {{"p", p, true}}}}, AdamOptions{}, 0.01);
    o->load_state(load_tensors(path), "o");
    EXPECT_EQ(o->steps(), first);
    steps(second);
    return p.values();
  };
  EXPECT_EQ(run(10, 0), run(4, 6));
}

// The classic mistake: an optimiser's step between a forward pass and its backward.
TEST(Optimiser, a_step_between_forward_and_backward_is_caught) {
  set_seed(1);
  Conv1d a({.in = 1, .out = 1, .kernel = 1}), b({.in = 1, .out = 1, .kernel = 1});
  Optimiser o({{.parameters = named_parameters(b)}}, SgdOptions{}, 0.1);
  const Tensor x = Tensor::full({1, 4, 1}, 1);
  const Tensor first = mean(b(a(x))), second = mean(b(relu(a(x))));
  backward(first);
  o.step();
  try {
    backward(second);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(e.sentence().find("modified in place after the forward pass"), std::string::npos) << e.sentence();
  }
}

TEST(Optimiser, refuses_nonsense) {
  Tensor p = leaf({1});
  EXPECT_THROW(Optimiser({}, AdamOptions{}, 0.1), Error);
  EXPECT_THROW(Optimiser({{.parameters = {{"p", p, true}}}}, AdamOptions{}, -1), Error);
  EXPECT_THROW(Optimiser({{.parameters = {{"p", p, true}}}}, AdamOptions{.beta1 = 1}, 1), Error);
  EXPECT_THROW(Optimiser({{.parameters = {{"p", p, true}}}}, SgdOptions{.weight_decay = -1}, 1), Error);
  EXPECT_THROW(Optimiser({{.parameters = {{"p", p, true}}}}, SgdOptions{.nesterov = true}, 1), Error);
}

}  // namespace
}  // namespace kern::training
