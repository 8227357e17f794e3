// Gradients whose last sums wait until the end of a backward pass are what they are where nothing waits.
#include "engine/late_gradients.h"

#include <gtest/gtest.h>

#include "engine/autograd.h"
#include "engine/gpu.h"
#include "engine/ops/add.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/sum.h"
#include "engine/ops/unary.h"

namespace kern {
namespace {

class LateGradientsOnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!gpu_available(&why)) GTEST_SKIP() << why;
  }
};

// Small whole numbers: every sum is exact.
Tensor whole(const Shape& shape, int seed) {
  Tensor t = Tensor::empty(shape);
  float* to = t.mutate();
  for (int64_t i = 0; i < t.size(); ++i) to[i] = float((int(i) * 7 + seed * 5) % 7 - 3);
  return t;
}
Tensor leaf(const Shape& shape, int seed, Device device) {
  Tensor t = whole(shape, seed).to(device);
  return t.require_grad();
}
constexpr Conv2dOptions kSame{.padding = {1, 1, 1, 1}};

// Gradients of `leaves` of what `loss` makes on a device.
using Leaves = std::vector<Tensor>;
void expect_same_on_gpu(const std::function<Leaves(Device)>& run) {
  const Leaves here = run(Device::cpu), there = run(Device::cuda);
  for (size_t i = 0; i < here.size(); ++i) EXPECT_EQ(here[i].grad().values(), there[i].grad().values()) << i;
}

TEST_F(LateGradientsOnGpu, of_a_filter_used_twice) {
  expect_same_on_gpu([](Device device) {
    const Tensor x = whole({2, 5, 7, 3}, 1).to(device), w = leaf({3, 3, 3, 3}, 2, device), b = leaf({3}, 3, device);
    backward(sum(conv2d(conv2d(x, w, b, kSame), w, b, kSame)));
    return Leaves{w, b};
  });
}

TEST_F(LateGradientsOnGpu, of_a_filter_that_an_op_made) {
  expect_same_on_gpu([](Device device) {
    const Tensor x = whole({2, 5, 7, 3}, 1).to(device), w = leaf({4, 3, 3, 3}, 2, device), b = leaf({4}, 3, device);
    backward(sum(conv2d(x, affine(w, 2), affine(b, 4), kSame)));
    return Leaves{w, b};
  });
}

TEST_F(LateGradientsOnGpu, added_to_those_of_an_earlier_pass) {
  expect_same_on_gpu([](Device device) {
    const Tensor x = whole({2, 5, 7, 3}, 1).to(device), w = leaf({4, 3, 3, 3}, 2, device), b = leaf({4}, 3, device);
    for (int i = 0; i < 3; ++i) backward(sum(conv2d(x, w, b, kSame)));
    return Leaves{w, b};
  });
}

TEST_F(LateGradientsOnGpu, a_cancelled_bias_has_none_whatever_was_there) {
  Conv2dOptions cancels = kSame;
  cancels.bias_cancels = true;
  expect_same_on_gpu([&](Device device) {
    const Tensor x = whole({2, 5, 7, 3}, 1).to(device), w = leaf({4, 3, 3, 3}, 2, device);
    Tensor b = leaf({4}, 3, device);
    backward(sum(conv2d(x, w, b, kSame)));
    EXPECT_NE(b.grad().values(), std::vector<float>(4, 0));
    b.clear_grad();
    backward(sum(conv2d(x, w, b, cancels)));
    EXPECT_EQ(b.grad().values(), std::vector<float>(4, 0));
    return Leaves{w, b};
  });
}

TEST_F(LateGradientsOnGpu, the_same_bits_whatever_may_wait) {
  const auto run = [](int size, size_t most) {
    struct Restored {
      size_t before;
      ~Restored() { LateGradients::set_most(before); }
    } const restored{LateGradients::set_most(most)};
    const Tensor x = whole({2, 9, 11, size}, 1).to(Device::cuda);
    Leaves leaves;
    Tensor loss;
    for (int i = 0; i < 6; ++i) {
      leaves.push_back(leaf({size, 3, 3, size}, i, Device::cuda));
      leaves.push_back(leaf({size}, i, Device::cuda));
      const Tensor y = conv2d(x, leaves[leaves.size() - 2], leaves.back(), kSame), one = sum(affine(y, 0.37f));
      loss = loss ? add(loss, one) : one;
    }
    backward(loss);
    std::vector<float> all;
    for (const Tensor& l : leaves)
      for (const float v : l.grad().values()) all.push_back(v);
    return all;
  };
  for (const int size : {3, 24}) {
    const std::vector<float> nothing = run(size, 0);
    EXPECT_EQ(run(size, 20000), nothing);  // of 3 channels several wait, of 24 none
    EXPECT_EQ(run(size, size_t{64} << 20), nothing);
  }
}

TEST_F(LateGradientsOnGpu, of_norms_of_samples) {
  const auto run = [](Device device) {
    const Tensor x = leaf({4, 6, 5}, 1, device), w = leaf({5}, 2, device), b = leaf({5}, 3, device),
                 slope = leaf({1}, 4, device);
    Tensor y = x;
    for (int i = 0; i < 3; ++i)
      y = norm_act(y, {.weight = w, .bias = b, .slope = slope},
                   {.per_sample = true, .act = kernels::Activation::prelu});
    backward(sum(y));
    return Leaves{x, w, b, slope};
  };
  const Leaves here = run(Device::cpu), there = run(Device::cuda), again = run(Device::cuda);
  for (size_t i = 0; i < here.size(); ++i) {
    const std::vector<float> expected = here[i].grad().values(), found = there[i].grad().values();
    EXPECT_EQ(found, again[i].grad().values()) << "not the same bits twice";
    for (size_t j = 0; j < expected.size(); ++j) {
      const float difference = std::abs(found[j] - expected[j]);
      EXPECT_TRUE(difference <= 1e-4f * (1 + std::abs(expected[j]))) << i << " " << found[j] << " " << expected[j];
    }
  }
}

}  // namespace
}  // namespace kern
