#include "engine/ops/conv_transpose1d.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

TEST(ConvTranspose, gradients) {
  const ConvTranspose2dOptions o{.stride = 2, .crop = Padding(1, 0, 0, 1), .output_padding = Pair(1, 0), .groups = 2};
  check_gradients({random_tensor({2, 3, 2, 4}, 1), random_tensor({4, 3, 3, 1}, 2), random_tensor({2}, 3)},
                  [&](const std::vector<Tensor>& in) { return conv_transpose2d(in[0], in[1], in[2], o); });
  check_gradients(
      {pitched(random_tensor({2, 6, 3}, 1)), random_tensor({3, 3, 2}, 2), random_tensor({2}, 3)},
      [](const std::vector<Tensor>& in) { return conv_transpose1d(in[0], in[1], in[2], {.stride = 1, .crop = 1}); });
  check_gradients({random_tensor({1, 4, 2}, 1), random_tensor({2, 2, 3}, 2)},
                  [](const std::vector<Tensor>& in) { return conv_transpose1d(in[0], in[1], {}, {.stride = 2}); });
}

TEST(ConvTranspose, undoes_a_strided_shape_and_writes_into_a_slot) {
  const int64_t widths[] = {3, 2};
  const std::vector<Tensor> slices = Tensor::empty_channel_slices({1, 8}, widths);
  const Tensor y = conv_transpose1d(Tensor::full({1, 4, 1}, 1), Tensor::full({1, 2, 2}, 1), Tensor::full({2}, 1),
                                    {.stride = 2}, slices[1]);
  EXPECT_EQ(y.shape(), (Shape{1, 8, 2}));
  EXPECT_EQ(y.pitch(), 5);
  EXPECT_EQ(y.values(), std::vector<float>(16, 2));
}

TEST(ConvTranspose, wrong_arguments_are_sentences) {
  const Tensor x = Tensor::zeros({1, 4, 3}), w = Tensor::zeros({3, 2, 5});
  EXPECT_EQ(error_of([&] {
              conv_transpose1d(Tensor::zeros({1, 4, 2}), w);
            }),
            "conv_transpose1d: input [1,4,2] has 2 channels, filter [3,2,5] expects 3");
  EXPECT_EQ(error_of([&] { conv_transpose1d(x, w, Tensor::zeros({3})); }),
            "conv_transpose1d: bias must be [5], got [3]");
  EXPECT_EQ(error_of([&] { conv_transpose1d(x, w, {}, {.groups = 2}); }),
            "conv_transpose1d: 2 groups must divide the 3 channels in");
  EXPECT_EQ(error_of([&] { conv_transpose1d(x, w, {}, {.output_padding = 1}); }),
            "conv_transpose1d: output_padding must be from 0 to below the larger of stride and dilation, got 0 and 1");
  EXPECT_EQ(error_of([&] { conv_transpose1d(x, w, {}, {.crop = 3}); }),
            "conv_transpose1d: input [1,4,3] and filter [3,2,5] give an output of 1x-1 positions; crop less or use a "
            "larger input");
  EXPECT_EQ(error_of([&] { conv_transpose2d(x, w); }),
            "conv_transpose2d: input must be [N,H,W,C] and filter [C,R,S,K/G], got [1,4,3] and [3,2,5]");
}

}  // namespace
}  // namespace kern
