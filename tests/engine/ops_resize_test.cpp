// Ops that change the height, width or length: pooling, up-sampling, padding.
#include "engine/ops/add.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/upsample.h"
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

TEST(Upsample, gradients_of_every_convention) {
  for (const UpsampleOptions o : {UpsampleOptions{}, UpsampleOptions{.how = Upsampling::linear}, UpsampleOptions{.how = Upsampling::linear, .align_corners = true}}) {
    check_tape({random_tensor({2, 3, 4, 2}, 1)}, [&](const auto& v) { return upsample(v[0], {7, 5}, o); });
    check_tape({random_tensor({2, 3, 2}, 2)}, [&](const auto& v) { return add(upsample1d(v[0], 6, o), upsample_by(v[0], 2, o)); });
    check_tape({random_tensor({1, 3, 4, 2}, 3)}, [&](const auto& v) {
      const auto in = Tensor::channel_slots({1, 3, 4}, std::vector<int64_t>{2, 1}), out = Tensor::channel_slots({1, 6, 8}, std::vector<int64_t>{1, 2});
      return upsample_by(add(v[0], Tensor::zeros({2}), in[0]), 2, o, out[1]);
    });
  }
}

TEST(Upsample, sizes_and_errors) {
  EXPECT_EQ(upsample_by(Tensor::zeros({1, 5, 3, 2}), 1.5).shape(), (Shape{1, 7, 4, 2}));
  EXPECT_EQ(upsample_by(Tensor::zeros({1, 5, 2}), 0.5).shape(), (Shape{1, 2, 2}));
  EXPECT_EQ(error_of([] { upsample(Tensor::zeros({1, 0, 3, 2}), {4, 4}); }),
            "upsample: input [1,0,3,2] and output size 4x4 must be at least 1");
  EXPECT_EQ(error_of([] { upsample1d(Tensor::zeros({1, 3}), 4); }), "upsample1d: input must be [N,L,C], got [1,3]");
  EXPECT_EQ(error_of([] { upsample_by(Tensor::zeros({1, 3, 1}), -1); }),
            "upsample_by: the factor must be above 0 and at most 1024, got -1");
}

}  // namespace
}  // namespace kern
