#include "engine/ops/prelu.h"
#include "engine/ops/unary.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

// Values at a distance from the kink at 0.
Tensor off_zero(const Shape& shape, uint32_t seed) {
  Tensor t = random_tensor(shape, seed);
  for (int64_t i = 0; i < t.size(); ++i) t.mutate()[i] += t.data()[i] > 0 ? 0.1f : -0.1f;
  return t;
}

TEST(Prelu, gradients) {
  auto f = [](const std::vector<Tensor>& in) { return prelu(in[0], in[1]); };
  check_gradients({off_zero({2, 5, 3}, 1), Tensor::full({1}, 0.25f)}, f);
  check_gradients({off_zero({2, 2, 4, 3}, 1), random_tensor({3}, 2)}, f);
  check_gradients({pitched(off_zero({4, 3}, 1)), random_tensor({3}, 2)}, f);
}

TEST(Prelu, writes_into_a_slot_and_leaves_frozen_inputs_alone) {
  const int64_t widths[] = {2, 3};
  std::vector<Tensor> slices = Tensor::empty_channel_slices({1, 2}, widths);
  slices[0].fill(7);
  Tensor slope = Tensor::full({1}, 0.5f);
  slope.require_grad();
  const Tensor x = Tensor::from({1, 2, 3}, std::vector<float>{1, -2, 0, -4, 5, 6});
  const Tensor y = prelu(x, slope, slices[1]);
  EXPECT_EQ(y.values(), (std::vector<float>{1, -1, 0, -2, 5, 6}));
  EXPECT_EQ(slices[0].values(), std::vector<float>(4, 7));
  backward(y, Tensor::full({1, 2, 3}, 1));
  EXPECT_EQ(slope.grad().item(), -6);
  EXPECT_FALSE(x.grad());
}

TEST(Prelu, an_input_used_twice_gets_both_gradients) {
  Tensor x = Tensor::from({1, 2}, std::vector<float>{-2, 3}), slope = Tensor::full({1}, 0.5f);
  x.require_grad();
  const Tensor y = prelu(prelu(x, slope), slope);  // 0.25 x where negative
  backward(y, Tensor::full({1, 2}, 1));
  EXPECT_EQ(x.grad().values(), (std::vector<float>{0.25f, 1}));
}

TEST(Prelu, a_wrong_slope_is_a_sentence) {
  EXPECT_EQ(error_of([] {
              prelu(Tensor::zeros({2, 3}), Tensor::zeros({2}));
            }),
            "prelu: input [2,3] needs a slope of shape [1] (shared) or [3] (one per channel), got [2]");
}

TEST(Sigmoid, gradients) {
  check_gradients({random_tensor({2, 5, 3}, 1, -2, 2)}, [](const std::vector<Tensor>& in) { return sigmoid(in[0]); });
  check_gradients({pitched(random_tensor({4, 3}, 1, -2, 2))},
                  [](const std::vector<Tensor>& in) { return sigmoid(sigmoid(in[0])); });
}

TEST(LeakyRelu, gradients_and_values) {
  check_gradients({off_zero({2, 5, 3}, 1)}, [](const std::vector<Tensor>& in) { return leaky_relu(in[0], 0.2f); });
  check_gradients({pitched(off_zero({4, 3}, 1))}, [](const std::vector<Tensor>& in) { return leaky_relu(in[0]); });
  EXPECT_EQ(leaky_relu(Tensor::from({3}, std::vector<float>{-2, 0, 3}), 0.5f).values(), (std::vector<float>{-1, 0, 3}));
}

TEST(LeakyRelu, a_negative_slope_is_a_sentence) {
  EXPECT_EQ(error_of([] { leaky_relu(Tensor::zeros({1}), -1); }).substr(0, 48),
            "leaky_relu: the slope must not be negative, got ");
}

// Every op of one input that has no kink, and those that have one away from it.
TEST(ElementwiseOps, gradients) {
  using One = std::function<Tensor(const Tensor&)>;
  const Tensor near_zero = random_tensor({2, 5, 3}, 1, -2, 2), off = off_zero({2, 5, 3}, 1),
               positive = random_tensor({2, 5, 3}, 1, 0.5f, 3);
  const std::vector<std::pair<One, Tensor>> cases{{[](const Tensor& x) { return gelu(x); }, near_zero},
                                                  {[](const Tensor& x) { return gelu(x, GeluForm::tanh); }, near_zero},
                                                  {[](const Tensor& x) { return silu(x); }, near_zero},
                                                  {[](const Tensor& x) { return tanh(x); }, near_zero},
                                                  {[](const Tensor& x) { return softplus(x, 2); }, near_zero},
                                                  {[](const Tensor& x) { return exp(x); }, near_zero},
                                                  {[](const Tensor& x) { return elu(x, 0.5f); }, off},
                                                  {[](const Tensor& x) { return relu6(x); }, off},
                                                  {[](const Tensor& x) { return hardswish(x); }, near_zero},
                                                  {[](const Tensor& x) { return log(x); }, positive}};
  for (const auto& [of, x] : cases) {
    const auto& op = of;
    check_gradients({x.clone()}, [&](const std::vector<Tensor>& in) { return op(in[0]); });
    check_gradients({pitched(x)}, [&](const std::vector<Tensor>& in) { return op(in[0]); });
  }
}

TEST(ElementwiseOps, wrong_parameters_are_sentences) {
  EXPECT_EQ(error_of([] { elu(Tensor::zeros({1}), -1); }), "elu: alpha must not be negative, got -1");
  EXPECT_EQ(error_of([] { softplus(Tensor::zeros({1}), 0); }), "softplus: beta must be positive, got 0");
}

}  // namespace
}  // namespace kern
