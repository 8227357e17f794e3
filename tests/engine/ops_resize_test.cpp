// Ops that change sizes: pooling, up-sampling, padding, cropping, slicing, reshaping.
#include "engine/ops/add.h"
#include "engine/ops/avg_pool.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/reshape.h"
#include "engine/ops/slice.h"
#include "engine/ops/upsample.h"
#include "tests/support/gradient_check.h"

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
  const GradientCheck wide{.step = 0.25f};
  check_gradients(
      {distinct({2, 4, 6, 2})}, [](const auto& v) { return max_pool2d(v[0]); }, wide);
  check_gradients(
      {distinct({1, 5, 5, 3})},
      [](const auto& v) { return max_pool2d(v[0], {.window = 3, .stride = 2, .padding = 1}); }, wide);
  check_gradients(
      {distinct({2, 7, 2})},
      [](const auto& v) { return add(max_pool1d(v[0]), max_pool1d(v[0], {.window = 3, .stride = 2})); }, wide);
  check_gradients(
      {distinct({2, 6, 2})},
      [](const auto& v) {
        const auto in = Tensor::empty_channel_slices({2, 6}, std::vector<int64_t>{2, 1}),
                   out = Tensor::empty_channel_slices({2, 3}, std::vector<int64_t>{1, 2});
        return max_pool1d(add(v[0], Tensor::zeros({2}), in[0]), {}, out[1]);
      },
      wide);
}

TEST(MaxPool, values_and_errors) {
  EXPECT_EQ(max_pool1d(Tensor::from({1, 5, 1}, Floats{1, 3, 2, 0, 9})).values(), (Floats{3, 2}));
  EXPECT_EQ(max_pool2d(Tensor::from({1, 2, 4, 1}, Floats{1, 2, 3, 4, 8, 7, 6, 5})).values(), (Floats{8, 6}));
  EXPECT_EQ(error_of([] {
              max_pool2d(Tensor::zeros({1, 1, 4, 1}));
            }),
            "max_pool2d: a window of 2x2 does not fit input [1,1,4,1]; use a larger input or fewer poolings");
  EXPECT_EQ(error_of([] {
              max_pool1d(Tensor::zeros({1, 4, 1}), {.padding = 2});
            }),
            "max_pool1d: padding must be at least 0 and less than the window 1x2");
  EXPECT_EQ(error_of([] { max_pool2d(Tensor::zeros({1, 4, 1})); }), "max_pool2d: input must be [N,H,W,C], got [1,4,1]");
}

TEST(AvgPool, gradients_of_images_and_signals_with_borders_and_into_a_slot) {
  check_gradients({random_tensor({2, 4, 6, 2}, 1)}, [](const auto& v) { return avg_pool2d(v[0]); });
  for (bool count : {true, false})
    check_gradients({random_tensor({1, 5, 5, 3}, 2)}, [count](const auto& v) {
      return avg_pool2d(v[0], {.window = 3, .stride = 2, .padding = 1, .count_include_pad = count});
    });
  check_gradients({random_tensor({2, 7, 2}, 3)},
                  [](const auto& v) { return add(avg_pool1d(v[0]), avg_pool1d(v[0], {.window = 3, .stride = 2})); });
  check_gradients({pitched(random_tensor({2, 6, 2}, 4))}, [](const auto& v) {
    return avg_pool1d(v[0], {}, Tensor::empty_channel_slices({2, 3}, std::vector<int64_t>{1, 2})[1]);
  });
}

TEST(AvgPool, values_and_errors) {
  const Tensor x = Tensor::from({1, 4, 1}, Floats{2, 4, 6, 9});
  EXPECT_EQ(avg_pool1d(x).values(), (Floats{3, 7.5f}));
  EXPECT_EQ(avg_pool1d(x, {.stride = 3, .padding = 1}).values(), (Floats{1, 7.5f}));
  EXPECT_EQ(avg_pool1d(x, {.stride = 3, .padding = 1, .count_include_pad = false}).values(), (Floats{2, 7.5f}));
  EXPECT_EQ(avg_pool2d(Tensor::from({1, 2, 4, 1}, Floats{1, 2, 3, 4, 8, 7, 6, 5})).values(), (Floats{4.5f, 4.5f}));
  EXPECT_EQ(error_of([] {
              avg_pool2d(Tensor::zeros({1, 1, 4, 1}));
            }),
            "avg_pool2d: a window of 2x2 does not fit input [1,1,4,1]; use a larger input or fewer poolings");
  EXPECT_EQ(error_of([] { avg_pool1d(Tensor::zeros({4, 1})); }), "avg_pool1d: input must be [N,L,C], got [4,1]");
}

TEST(GlobalAvgPool, gradients_values_and_errors) {
  check_gradients({random_tensor({2, 3, 4, 3}, 1)}, [](const auto& v) { return global_avg_pool(v[0]); });
  check_gradients({pitched(random_tensor({3, 5, 2}, 2))}, [](const auto& v) {
    return global_avg_pool(v[0], Tensor::empty_channel_slices({3}, std::vector<int64_t>{1, 2})[1]);
  });
  EXPECT_EQ(global_avg_pool(Tensor::from({1, 2, 2}, Floats{1, 2, 3, 5})).values(), (Floats{2, 3.5f}));
  EXPECT_EQ(global_avg_pool(Tensor::zeros({0, 0, 2})).shape(), (Shape{0, 2}));
  EXPECT_EQ(error_of([] {
              global_avg_pool(Tensor::zeros({2, 3}));
            }),
            "global_avg_pool: input must be [N,L,C] or [N,H,W,C], got [2,3]");
  EXPECT_EQ(error_of([] {
              global_avg_pool(Tensor::zeros({2, 0, 3}));
            }),
            "global_avg_pool: input [2,0,3] has no position to average over");
}

TEST(Upsample, gradients_of_every_convention) {
  for (const UpsampleOptions o : {UpsampleOptions{}, UpsampleOptions{.how = Upsampling::linear},
                                  UpsampleOptions{.how = Upsampling::linear, .align_corners = true}}) {
    check_gradients({random_tensor({2, 3, 4, 2}, 1)}, [&](const auto& v) { return upsample(v[0], {7, 5}, o); });
    check_gradients({random_tensor({2, 3, 2}, 2)},
                    [&](const auto& v) { return add(upsample1d(v[0], 6, o), upsample_by(v[0], 2, o)); });
    check_gradients({random_tensor({1, 3, 4, 2}, 3)}, [&](const auto& v) {
      const auto in = Tensor::empty_channel_slices({1, 3, 4}, std::vector<int64_t>{2, 1}),
                 out = Tensor::empty_channel_slices({1, 6, 8}, std::vector<int64_t>{1, 2});
      return upsample_by(add(v[0], Tensor::zeros({2}), in[0]), 2, o, out[1]);
    });
  }
}

TEST(Upsample, sizes_and_errors) {
  EXPECT_EQ(upsample_by(Tensor::zeros({1, 5, 3, 2}), 1.5).shape(), (Shape{1, 7, 4, 2}));
  EXPECT_EQ(upsample_by(Tensor::zeros({1, 5, 2}), 0.5).shape(), (Shape{1, 2, 2}));
  EXPECT_EQ(error_of([] {
              upsample(Tensor::zeros({1, 0, 3, 2}), {4, 4});
            }),
            "upsample: input [1,0,3,2] and output size 4x4 must be at least 1");
  EXPECT_EQ(error_of([] { upsample1d(Tensor::zeros({1, 3}), 4); }), "upsample1d: input must be [N,L,C], got [1,3]");
  EXPECT_EQ(error_of([] {
              upsample_by(Tensor::zeros({1, 3, 1}), -1);
            }),
            "upsample_by: the factor must be above 0 and at most 1024, got -1");
}

TEST(Pad, gradients_and_values) {
  check_gradients({random_tensor({2, 3, 4, 2}, 1)}, [](const auto& v) { return pad(v[0], Padding(1, 2, 0, 3)); });
  check_gradients({random_tensor({2, 3, 4, 2}, 1)}, [](const auto& v) { return crop(v[0], Padding(1, 0, 2, 1)); });
  check_gradients({random_tensor({2, 5, 2}, 1)}, [](const auto& v) {
    return add(pad1d(v[0], {2, 1}), pad1d(crop1d(v[0], {1, 1}), {3, 2}));
  });
  check_gradients({random_tensor({2, 5, 2}, 1)}, [](const auto& v) {
    const auto in = Tensor::empty_channel_slices({2, 5}, std::vector<int64_t>{2, 1}),
               out = Tensor::empty_channel_slices({2, 8}, std::vector<int64_t>{1, 2});
    return pad1d(add(v[0], Tensor::zeros({2}), in[0]), {2, 1}, out[1]);
  });
  EXPECT_EQ(pad1d(Tensor::from({1, 2, 1}, Floats{1, 2}), {1, 2}).values(), (Floats{0, 1, 2, 0, 0}));
  check_gradients({random_tensor({2, 3, 4, 2}, 1)},
                  [](const auto& v) { return mirror_pad(v[0], Padding(1, 4, 0, 9)); });
  check_gradients({random_tensor({2, 5, 2}, 1)}, [](const auto& v) {
    const auto in = Tensor::empty_channel_slices({2, 5}, std::vector<int64_t>{2, 1}),
               out = Tensor::empty_channel_slices({2, 8}, std::vector<int64_t>{1, 2});
    return mirror_pad1d(add(v[0], Tensor::zeros({2}), in[0]), {2, 1}, out[1]);
  });
  EXPECT_EQ(mirror_pad1d(Tensor::from({1, 2, 1}, Floats{1, 2}), {1, 4}).values(), (Floats{1, 1, 2, 2, 1, 1, 2}));
  EXPECT_EQ(error_of([] {
              mirror_pad(Tensor::zeros({1, 0, 3, 1}), 2);
            }),
            "mirror_pad: [1,0,3,1] holds nothing that could be mirrored");
  EXPECT_EQ(crop(Tensor::from({1, 2, 2, 1}, Floats{1, 2, 3, 4}), Padding(1, 0, 0, 1)).values(), (Floats{3}));
  const Tensor x = random_tensor({1, 2, 3, 4}, 1);
  EXPECT_EQ(pad(x, 0).data(), x.data());  // nothing to do costs nothing
  EXPECT_EQ(slice(x, 1, 0, 2).data(), x.data());
  EXPECT_EQ(error_of([] { crop1d(Tensor::zeros({1, 2, 1}), 2); }), "crop1d: [1,2,1] would become -2 long; crop less");
  EXPECT_EQ(error_of([] { pad(Tensor::zeros({1, 2, 1}), 2); }), "pad: input must be [N,H,W,C], got [1,2,1]");
}

TEST(Slice, gradients_and_values_along_every_dimension) {
  for (int dim : {0, 1, 2, -1})
    check_gradients({random_tensor({3, 4, 3, 5}, 1)}, [dim](const auto& v) { return slice(v[0], dim, 1, 3); });
  check_gradients({random_tensor({3, 4}, 1)},
                  [](const auto& v) { return add(slice(v[0], 1, 0, 2), slice(v[0], 1, 2, 4)); });
  check_gradients({random_tensor({4}, 1)}, [](const auto& v) { return slice(v[0], 0, 1, 3); });
  const Tensor x = Tensor::from({2, 3, 2}, Floats{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_EQ(slice(x, 2, 1, 2).values(), (Floats{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(slice(x, 2, 1, 2).data(), x.data() + 1);
  EXPECT_EQ(slice(x, 1, 1, 3).values(), (Floats{3, 4, 5, 6, 9, 10, 11, 12}));
  EXPECT_EQ(slice(x, 0, 1, 2).values(), (Floats{7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(slice(slice(x, 2, 1, 2), 1, 0, 1).values(), (Floats{2, 8}));
  EXPECT_EQ(slice(x, 1, 2, 2).shape(), (Shape{2, 0, 2}));
  EXPECT_EQ(error_of([&] { slice(x, 3, 0, 1); }), "slice: [2,3,2] has no dimension 3");
  EXPECT_EQ(error_of([&] { slice(x, 1, 2, 4); }), "slice: 2 to 4 of dimension 1 does not lie in [2,3,2]");
}

TEST(Reshape, gradients_views_and_copies) {
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) {
    return add(reshape(v[0], {6, -1}), Tensor::full({4}, 1));
  });
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) { return reshape(slice(v[0], -1, 1, 3), {12}); });
  check_gradients({random_tensor({2, 6}, 1)}, [](const auto& v) { return slice(reshape(v[0], {2, 3, 2}), -1, 0, 1); });
  const Tensor x = Tensor::zeros({2, 3});
  EXPECT_EQ(reshape(x, {6}).data(), x.data());
  EXPECT_EQ(reshape(x, {-1, 1}).shape(), (Shape{6, 1}));
  EXPECT_EQ(error_of([&] { reshape(x, {4}); }), "reshape: [2,3] has 6 values, [4] has 4");
  EXPECT_EQ(error_of([&] { reshape(x, {4, -1}); }), "reshape: the size -1 has no answer for [2,3]");
}

}  // namespace
}  // namespace kern
