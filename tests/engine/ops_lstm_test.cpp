#include "engine/ops/add.h"
#include "engine/ops/lstm.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(Lstm, gradients_in_both_directions) {
  for (const bool reverse : {false, true}) {
    auto run = [reverse](const std::vector<Tensor>& v) { return lstm(v[0], v[1], v[2], v[3], v[4], reverse); };
    check_gradients({random_tensor({2, 4, 3}, 1), random_tensor({8, 3}, 2), random_tensor({8, 2}, 3),
                     random_tensor({8}, 4), random_tensor({8}, 5)},
                    run);
    check_gradients({pitched(random_tensor({2, 3, 1}, 1)), random_tensor({4, 1}, 2), random_tensor({4, 1}, 3),
                     random_tensor({4}, 4), random_tensor({4}, 5)},
                    [reverse](const std::vector<Tensor>& v) {
                      const auto slices = Tensor::empty_channel_slices({2, 3}, std::vector<int64_t>{1, 2});
                      return lstm(v[0], v[1], v[2], v[3], v[4], reverse, slices[0]);
                    });
  }
  // Weights used twice, no biases, and an input that is its own output.
  check_gradients({random_tensor({2, 3, 2}, 1), random_tensor({8, 2}, 2), random_tensor({8, 2}, 3)},
                  [](const std::vector<Tensor>& v) {
                    const Tensor y = lstm(v[0], v[1], v[2]);
                    return add(y, lstm(y, v[1], v[2], {}, {}, true));
                  });
}

TEST(Lstm, only_what_is_wanted_gets_a_gradient) {
  Tensor b = random_tensor({8}, 4);
  b.require_grad();
  const Tensor x = random_tensor({2, 4, 3}, 1), w_ih = random_tensor({8, 3}, 2), w_hh = random_tensor({8, 2}, 3);
  backward(lstm(x, w_ih, w_hh, {}, b), Tensor::full({2, 4, 2}, 1));
  EXPECT_TRUE(b.grad());
  EXPECT_FALSE(x.grad() || w_ih.grad() || w_hh.grad());
}

TEST(Lstm, sizes_and_errors) {
  const Tensor w_ih = Tensor::zeros({8, 3}), w_hh = Tensor::zeros({8, 2});
  EXPECT_EQ(lstm(Tensor::zeros({0, 4, 3}), w_ih, w_hh).shape(), (Shape{0, 4, 2}));
  EXPECT_EQ(lstm(Tensor::zeros({2, 0, 3}), w_ih, w_hh).shape(), (Shape{2, 0, 2}));
  EXPECT_EQ(error_of([&] { lstm(Tensor::zeros({4, 3}), w_ih, w_hh); }), "lstm: input must be [N,L,C], got [4,3]");
  EXPECT_EQ(error_of([&] {
              lstm(Tensor::zeros({1, 4, 5}), w_ih, w_hh);
            }),
            "lstm: for input [1,4,5] and 2 states the weight must be [8,5] and dense, got [8,3]");
  EXPECT_EQ(error_of([&] {
              lstm(Tensor::zeros({1, 4, 3}), w_ih, w_ih);
            }),
            "lstm: the recurrent weight must be [4H,H] and dense, got [8,3]");
  EXPECT_EQ(error_of([&] {
              lstm(Tensor::zeros({1, 4, 3}), w_ih, w_hh, Tensor::zeros({2}));
            }),
            "lstm: a bias must be [8], got [2]");
}

}  // namespace
}  // namespace kern
