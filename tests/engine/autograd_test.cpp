#include "engine/autograd.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include "engine/ops/conv1d.h"
#include "engine/ops/unary.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {

using kern::testing::error_of;

// dL/dx for L = sum(dy * y)
Tensor ones_like(const Tensor& t) { return Tensor::full(t.shape(), 1); }

TEST(Autograd, an_input_used_twice_gets_the_sum_in_a_fixed_order) {
  Tensor x = Tensor::from({1, 4, 1}, std::vector<float>{1, -2, 3, 4});
  Tensor w = Tensor::from({1, 1, 1}, std::vector<float>{2});
  x.require_grad();
  w.require_grad();
  const Tensor y = conv1d(relu(conv1d(x, w)), w);  // y = 2 relu(2x)
  EXPECT_EQ(y.values(), (std::vector<float>{4, 0, 12, 16}));
  backward(y, ones_like(y));
  EXPECT_EQ(x.grad().values(), (std::vector<float>{4, 0, 4, 4}));
  EXPECT_EQ(w.grad().values(), (std::vector<float>{2 * (2 + 0 + 6 + 8)}));
}

TEST(Autograd, gradients_add_until_cleared) {
  Tensor x = Tensor::from({2}, std::vector<float>{1, 2});
  x.require_grad();
  for (int i = 1; i <= 3; ++i) {
    backward(relu(x), ones_like(x));
    EXPECT_EQ(x.grad().values(), (std::vector<float>(2, float(i))));
  }
  x.clear_grad();
  EXPECT_FALSE(x.grad());
  backward(relu(x), ones_like(x));
  EXPECT_EQ(x.grad().values(), (std::vector<float>{1, 1}));
}

TEST(Autograd, writing_to_a_saved_tensor_is_an_error_that_says_so) {
  Tensor x = Tensor::full({1, 3, 1}, 1), w = Tensor::full({1, 1, 1}, 1);
  w.require_grad();
  const Tensor y = conv1d(x, w);
  x.mutate()[0] = 5;  // as an optimiser's step between forward and backward would
  const std::string s = error_of([&] { backward(y, ones_like(y)); });
  EXPECT_NE(s.find("conv1d: a tensor of shape [1,3,1] that backward needs was modified in place"), s.npos) << s;
}

TEST(Autograd, a_graph_serves_once) {
  Tensor x = Tensor::full({1}, 1);
  x.require_grad();
  const Tensor y = relu(x);
  backward(y);
  EXPECT_NE(error_of([&] { backward(y); }).find("already run"), std::string::npos);
}

TEST(Autograd, wrong_losses_are_sentences) {
  Tensor x = Tensor::full({2}, 1);
  EXPECT_NE(error_of([&] { backward(relu(x)); }).find("one value, got shape [2]"), std::string::npos);
  EXPECT_NE(error_of([&] { backward(relu(Tensor::full({1}, 1))); }).find("depends on nothing"), std::string::npos);
}

TEST(Autograd, detach_no_grad_and_frozen_leaves_stop_gradients) {
  Tensor x = Tensor::full({1}, 2);
  x.require_grad();
  EXPECT_FALSE(relu(x.detach()).requires_grad());
  {
    NoGrad off;
    EXPECT_FALSE(relu(x).requires_grad());
  }
  EXPECT_TRUE(relu(x).requires_grad());
  x.require_grad(false);
  EXPECT_FALSE(relu(x).requires_grad());
}

// What backward does not need is not computed: the frozen filter gets no gradient, and `want` said so.
TEST(Autograd, want_is_false_where_nobody_asks) {
  Tensor x = Tensor::full({1, 3, 1}, 1), w = Tensor::full({1, 1, 1}, 1);
  x.require_grad();
  const Tensor y = conv1d(x, w);
  backward(y, ones_like(y));
  EXPECT_TRUE(x.grad());
  EXPECT_FALSE(w.grad());
}

void* deep_graphs(void*) {
  Tensor leaf = Tensor::full({1}, 1);
  leaf.require_grad();
  Tensor deep = leaf;
  for (int i = 0; i < 200000; ++i) deep = relu(deep);
  backward(deep);
  EXPECT_EQ(leaf.grad().item(), 1);
  deep = leaf;
  for (int i = 0; i < 200000; ++i) deep = relu(deep);
  deep = Tensor();  // dropped without backward
  return nullptr;
}

TEST(Autograd, a_graph_200000_deep_fits_a_small_stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, deep_graphs, nullptr), 0);
  pthread_join(thread, nullptr);
}

TEST(Autograd, nothing_leaks) {
  const size_t before = memory_counters().live;
  {
    Tensor x = Tensor::full({100}, 1);
    x.require_grad();
    Tensor y = relu(relu(x));
    backward(y, ones_like(y));
    Tensor unused = relu(x);
  }
  EXPECT_EQ(memory_counters().live, before);
}

}  // namespace
}  // namespace kern
