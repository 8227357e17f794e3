#include "engine/rank_gradient_sums.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/communicator.h"
#include "engine/ops/linear.h"
#include "engine/ops/mse.h"
#include "engine/ops/unary.h"

namespace kern {
namespace {

Tensor values(const Shape& shape, int seed) {
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.mutate()[i] = std::sin(float(i * 13 % 101 + seed * 7)) / 4;
  return t;
}

constexpr int kLayers = 6;

// A chain of layers whose first weight serves a second time at the end; the last parameter is not reached.
struct Network {
  std::vector<Tensor> weights;
  Network() {
    for (int i = 0; i < kLayers; ++i) weights.push_back(values({16, 16}, i));
    weights.push_back(values({3}, 9));
    for (Tensor& w : weights) w.require_grad();
  }
  Tensor loss(const Tensor& x) const {
    Tensor y = x;
    for (int i = 0; i < kLayers; ++i) y = tanh(linear(y, weights[size_t(i)], {}));
    return mse(linear(y, weights[0], {}), x);
  }
};

TEST(RankGradientSums, AreThoseOfASumAfterThePass) {
  Communicator& all = communicator();
  Network one, two;
  ParameterArena after(one.weights), beside(two.weights);
  for (int step = 0; step < 3; ++step) {
    for (int pass = 0; pass < 2; ++pass) {  // of two passes, whose gradients add up, the second is watched
      const Tensor x = values({4, 16}, 10 * step + pass + 100 * all.rank());
      backward(one.loss(x));
      if (pass == 0) {
        backward(two.loss(x));
        continue;
      }
      RankGradientSums sums(beside, 16 * 16);
      EXPECT_EQ(sums.pieces(), size_t(kLayers) + 1);
      {
        const auto watch = sums.watch();
        backward(two.loss(x));
      }
      EXPECT_EQ(sums.begun(), 0u) << "what the pass does not reach is at the end, and holds all back";
      sums.finish();
    }
    all.sum(std::span(after.gradients().mutate(), size_t(after.size())));
    for (int i = 0; i < kLayers; ++i)
      EXPECT_EQ(two.weights[size_t(i)].grad().values(), one.weights[size_t(i)].grad().values()) << step << " " << i;
    EXPECT_FALSE(two.weights.back().grad());
    after.clear_gradients();
    beside.clear_gradients();
  }
}

TEST(RankGradientSums, BeginFromTheEndWhileThePassGoesOn) {
  Network n;
  n.weights.pop_back();
  ParameterArena arena(n.weights);
  RankGradientSums sums(arena, 16 * 16);
  {
    const auto watch = sums.watch();
    backward(n.loss(values({4, 16}, communicator().rank())));
    EXPECT_EQ(sums.begun(), sums.pieces());
  }
  sums.finish();
}

TEST(RankGradientSums, ALeafIsFinalAfterItsLastUse) {
  const Network n;
  std::vector<const void*> order;
  const FinalGradients watch([&](const Tensor& leaf) { order.push_back(&leaf.impl()); });
  backward(n.loss(values({4, 16}, 1)));
  ASSERT_EQ(order.size(), size_t(kLayers));
  for (int i = 0; i < kLayers; ++i) EXPECT_EQ(order[size_t(i)], &n.weights[size_t(kLayers - 1 - i)].impl());
}

}  // namespace
}  // namespace kern
