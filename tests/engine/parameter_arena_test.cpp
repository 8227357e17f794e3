#include "engine/parameter_arena.h"

#include <gtest/gtest.h>

#include "engine/autograd.h"
#include "engine/ops/conv1d.h"

namespace kern {
namespace {

Tensor leaf(const Shape& s, float v) {
  Tensor t = Tensor::full(s, v);
  t.require_grad();
  return t;
}

TEST(ParameterArena, moves_values_and_gradients_into_flat_arrays) {
  Tensor w = leaf({2, 1, 1}, 3), b = leaf({2}, 1), unused = leaf({5}, 7);
  ParameterArena arena({w, b, unused});
  EXPECT_EQ(arena.size(), 48);
  EXPECT_EQ(w.values(), (std::vector<float>{3, 3}));
  EXPECT_EQ(unused.values(), std::vector<float>(5, 7));
  const Tensor x = Tensor::full({1, 4, 1}, 2), y = conv1d(x, w, b);
  backward(y, Tensor::full(y.shape(), 1));
  EXPECT_EQ(w.grad().values(), (std::vector<float>{8, 8}));
  EXPECT_EQ(arena.gradients().values()[0], 8) << "backward wrote into the arena";
  EXPECT_EQ(arena.gradients().values()[16], 4);
  const auto runs = arena.runs_with_gradient(0, 3);
  ASSERT_EQ(runs.size(), 1u) << "neighbours are one run, the parameter without gradient is left out";
  EXPECT_EQ(runs[0].begin, 0);
  EXPECT_EQ(runs[0].end, 32);
  arena.values().mutate()[0] = 10;
  EXPECT_EQ(w.values()[0], 10) << "the tensor is the arena's";
  arena.clear_gradients();
  EXPECT_TRUE(arena.runs_with_gradient(0, 3).empty());
}

TEST(ParameterArena, an_update_between_forward_and_backward_is_caught) {
  Tensor w = leaf({1, 1, 1}, 3), x = leaf({1, 4, 1}, 2);
  ParameterArena arena({w});
  const Tensor y = conv1d(x, w);
  arena.values().mutate()[0] = 10;
  arena.touch(0, 1);
  EXPECT_THROW(backward(y, Tensor::full(y.shape(), 1)), Error);
}

TEST(ParameterArena, one_owner_per_parameter) {
  Tensor w = leaf({3}, 3);
  EXPECT_THROW(ParameterArena({w, w}), Error);
  ParameterArena first({w});
  first.check_ownership();
  ParameterArena second({w});
  second.check_ownership();
  EXPECT_EQ(w.values(), std::vector<float>(3, 3));
  EXPECT_THROW(first.check_ownership(), Error);
}

}  // namespace
}  // namespace kern
