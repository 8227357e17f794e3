#include "engine/ops/add.h"
#include "engine/ops/dropout.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;

TEST(Dropout, backward_draws_the_masks_of_forward_again) {
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) {
    Generator generator(5);
    generator.advance();
    return add(dropout(v[0], 0.5f, generator), channel_dropout(v[0], 0.25f, generator));
  });
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) {
    Generator generator(5);
    const auto slices = Tensor::empty_channel_slices({2, 3}, std::vector<int64_t>{4, 4});
    const Tensor a = dropout(v[0], 0.5f, generator, slices[0]);
    return channel_dropout(a, 0.5f, generator, slices[1]);
  });
}

TEST(Dropout, of_channels_drops_a_channel_of_a_sample_whole) {
  Generator generator(3);
  const Floats y = channel_dropout(Tensor::full({4, 6, 5}, 1), 0.5f, generator).values();
  int dropped = 0;
  for (size_t n = 0; n < 4; ++n)
    for (size_t c = 0; c < 5; ++c) {
      dropped += y[n * 30 + c] == 0;
      for (size_t l = 1; l < 6; ++l) EXPECT_EQ(y[n * 30 + l * 5 + c], y[n * 30 + c]);
    }
  EXPECT_GT(dropped, 3);
  EXPECT_LT(dropped, 17);
}

TEST(Dropout, every_call_of_a_step_draws_anew_and_a_step_repeats) {
  const Tensor x = Tensor::full({10, 10}, 1);
  Generator a(3), b(3);
  const Floats first = dropout(x, 0.5f, a).values(), second = dropout(x, 0.5f, a).values();
  EXPECT_NE(first, second);
  EXPECT_EQ(dropout(x, 0.5f, b).values(), first);
  b.advance();
  EXPECT_NE(dropout(x, 0.5f, b).values(), first);
}

TEST(Dropout, errors_are_sentences) {
  EXPECT_EQ(error_of([] { dropout(Tensor::zeros({2}), 1.5f); }),
            "dropout: the probability to drop must be from 0 to 1, got 1.5");
  EXPECT_EQ(error_of([] { dropout(Tensor::zeros({2}), std::nanf("")); }).substr(0, 30),
            "dropout: the probability to dr");
  EXPECT_EQ(error_of([] { channel_dropout(Tensor::zeros({2}), 0.5f); }),
            "channel_dropout: input must be [N,...,C], got [2]");
}

}  // namespace
}  // namespace kern
