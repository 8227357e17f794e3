// Ops that change the height, width or length: pooling, up-sampling, padding.
#include "engine/ops/add.h"
#include "engine/ops/max_pool.h"
#include "tests/support/tape_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;

// Values at least 1 apart, so that a difference quotient never changes a maximum.
Tensor distinct(const Shape& shape) {
  Floats v;
  for (int64_t i = 0; i < shape.size(); ++i) v.push_back(float(i * 7919 % 1009));
  return Tensor::from(shape, v);
}

TEST(MaxPool, gradients_of_images_and_signals_overlapping_or_not_and_of_an_input_used_twice) {
  const TapeCheck wide{.step = 0.25f};
  check_tape({distinct({2, 4, 6, 2})}, [](const auto& v) { return max_pool2d(v[0]); }, wide);
  check_tape({distinct({1, 5, 5, 3})}, [](const auto& v) { return max_pool2d(v[0], {.window = 3, .stride = 2, .padding = 1}); }, wide);
  check_tape({distinct({2, 7, 2})}, [](const auto& v) { return add(max_pool1d(v[0]), max_pool1d(v[0], {.window = 3, .stride = 2})); }, wide);
  check_tape({distinct({2, 6, 2})}, [](const auto& v) {
    const auto in = Tensor::channel_slots({2, 6}, std::vector<int64_t>{2, 1}), out = Tensor::channel_slots({2, 3}, std::vector<int64_t>{1, 2});
    return max_pool1d(add(v[0], Tensor::zeros({2}), in[0]), {}, out[1]);
  }, wide);
}

TEST(MaxPool, values_and_errors) {
  EXPECT_EQ(max_pool1d(Tensor::from({1, 5, 1}, Floats{1, 3, 2, 0, 9})).values(), (Floats{3, 2}));
  EXPECT_EQ(max_pool2d(Tensor::from({1, 2, 4, 1}, Floats{1, 2, 3, 4, 8, 7, 6, 5})).values(), (Floats{8, 6}));
  EXPECT_EQ(error_of([] { max_pool2d(Tensor::zeros({1, 1, 4, 1})); }),
            "max_pool2d: a window of 2x2 does not fit input [1,1,4,1]; use a larger input or fewer poolings");
  EXPECT_EQ(error_of([] { max_pool1d(Tensor::zeros({1, 4, 1}), {.padding = 2}); }),
            "max_pool1d: padding must be at least 0 and less than the window 1x2");
  EXPECT_EQ(error_of([] { max_pool2d(Tensor::zeros({1, 4, 1})); }), "max_pool2d: input must be [N,H,W,C], got [1,4,1]");
}

}  // namespace
}  // namespace kern
