#include "engine/ops/linear.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(Linear, gradients) {
  auto f = [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); };
  check_gradients({random_tensor({5, 4}, 1), random_tensor({3, 4}, 2), random_tensor({3}, 3)}, f);
  check_gradients({pitched(random_tensor({2, 3, 4}, 1)), random_tensor({9, 4}, 2), random_tensor({9}, 3)}, f);
  check_gradients({random_tensor({2, 3}, 1), random_tensor({3, 3}, 2)}, [](const std::vector<Tensor>& in) {
    return linear(linear(in[0], in[1]), in[1]);
  });  // one weight, used twice
}

TEST(Linear, by_hand_and_into_a_slot) {
  const int64_t widths[] = {2, 1};
  const std::vector<Tensor> slices = Tensor::empty_channel_slices({2}, widths);
  const Tensor x = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}),
               w = Tensor::from({2, 3}, std::vector<float>{1, 0, -1, 1, 1, 1});
  const Tensor y = linear(x, w, Tensor::from({2}, std::vector<float>{10, 0}), slices[0]);
  EXPECT_EQ(y.values(), (std::vector<float>{8, 6, 8, 15}));
  EXPECT_EQ(y.pitch(), 3);
}

TEST(Linear, wrong_shapes_are_sentences) {
  EXPECT_EQ(error_of([] {
              linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 2}));
            }),
            "linear: input [2,3] has 3 channels, weight [4,2] expects 2");
  EXPECT_EQ(error_of([] {
              linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}), Tensor::zeros({3}));
            }),
            "linear: bias must be [4], got [3]");
}

}  // namespace
}  // namespace kern
