// Ops on volumes [N,D,H,W,C]: against PyTorch, gradients, layouts, errors, and that volumes are what they are made of.
#include "engine/dry_run.h"
#include "engine/model_file.h"
#include "engine/ops/add.h"
#include "engine/ops/avg_pool.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv_transpose2d.h"
#include "engine/ops/conv_transpose3d.h"
#include "engine/ops/dropout.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/group_norm.h"
#include "engine/ops/instance_norm.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/pad.h"
#include "engine/ops/slice.h"
#include "engine/ops/sum.h"
#include "engine/ops/upsample.h"
#include "engine/profile.h"
#include "kernels/common/parallel.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_check.h"
#include "tests/support/source_files.h"

namespace kern {
namespace {
using namespace kern::testing;
using Values = std::vector<float>;
using Inputs = std::vector<Tensor>;

struct VolumeOp {
  const char* name;
  std::function<Tensor(const Inputs&)> f;
};
void PrintTo(const VolumeOp& op, std::ostream* out) { *out << op.name; }
const MaxPool3dOptions kOverlapping{.window = {3, 2, 3}, .stride = {2, 1, 2}, .padding = Triple(1, 0, 1)};
const VolumeOp kVolumeOps[] = {
    {"conv3d",
     [](const Inputs& in) {
       return conv3d(in[0], in[1], in[2],
                     {.stride = {2, 1, 2}, .padding = Triple(1, 0, 2), .dilation = {1, 2, 1}, .groups = 2});
     }},
    {"conv3d_same", [](const Inputs& in) { return conv3d(in[0], in[1], in[2], {.padding = 1}); }},
    {"conv3d_planes",
     [](const Inputs& in) {
       return conv3d(in[0], in[1], in[2], {.stride = {1, 2, 1}, .padding = Triple(0, 1, 1)});
     }},
    {"conv_transpose3d",
     [](const Inputs& in) {
       return conv_transpose3d(in[0], in[1], in[2],
                               {.stride = {2, 1, 2},
                                .crop = Triple(1, 0, 1),
                                .output_padding = {1, 0, 0},
                                .dilation = {1, 2, 1},
                                .groups = 2});
     }},
    {"conv_transpose3d_doubling",
     [](const Inputs& in) { return conv_transpose3d(in[0], in[1], in[2], {.stride = 2, .crop = 1}); }},
    {"max_pool3d", [](const Inputs& in) { return max_pool3d(in[0]); }},
    {"max_pool3d_overlapping", [](const Inputs& in) { return max_pool3d(in[0], kOverlapping); }},
    {"avg_pool3d",
     [](const Inputs& in) {
       return avg_pool3d(in[0], {kOverlapping.window, kOverlapping.stride, kOverlapping.padding});
     }},
    {"avg_pool3d_inside",
     [](const Inputs& in) {
       return avg_pool3d(in[0], {kOverlapping.window, kOverlapping.stride, kOverlapping.padding, false});
     }},
    {"nearest",
     [](const Inputs& in) {
       return upsample3d(in[0], {5, 4, 7});
     }},
    {"trilinear",
     [](const Inputs& in) {
       return upsample3d(in[0], {5, 4, 7}, {.how = Upsampling::linear});
     }},
    {"trilinear_corners",
     [](const Inputs& in) {
       return upsample3d(in[0], {5, 4, 7}, {.how = Upsampling::linear, .align_corners = true});
     }},
    {"trilinear_by_1.5", [](const Inputs& in) { return upsample_by(in[0], 1.5, {.how = Upsampling::linear}); }},
    {"pad3d",
     [](const Inputs& in) {
       return pad3d(in[0], {0, 3, {2, 1, 1, 0}});
     }},
    {"batch_norm", [](const Inputs& in) { return batch_norm(in[0], in[1], in[2], {}, {}); }},
    {"instance_norm", [](const Inputs& in) { return instance_norm(in[0], in[1], in[2]); }},
    {"group_norm", [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2]); }},
};

class OnVolumes : public ::testing::TestWithParam<VolumeOp> {};

// tests/engine/make_volume_ops_golden.py. Inputs and what arrives have a pitch.
TEST_P(OnVolumes, values_and_gradients_are_pytorchs) {
  const TensorFile golden = load_tensors(source_file("tests/engine/goldens/volume_ops.safetensors"));
  const std::string name = GetParam().name;
  Inputs inputs;
  while (const Tensor* t = golden.find(name + "." + std::to_string(inputs.size())))
    inputs.push_back((inputs.empty() ? pitched(*t) : t->clone()).require_grad());
  ASSERT_FALSE(inputs.empty());
  const Tensor y = GetParam().f(inputs);
  EXPECT_LE(distance(y, *golden.find(name + ".y")), 2e-6);
  backward(y, pitched(*golden.find(name + ".dy")));
  for (size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(inputs[i].grad()) << i;
    EXPECT_LE(distance(inputs[i].grad(), *golden.find(name + ".d" + std::to_string(i))), 1e-5) << i;
  }
}

// The memory of a step is known before it, and its time is measured, in five dimensions too.
TEST_P(OnVolumes, dry_runs_and_profiles_know_them) {
  const TensorFile golden = load_tensors(source_file("tests/engine/goldens/volume_ops.safetensors"));
  const std::string name = GetParam().name;
  Inputs inputs;
  while (const Tensor* t = golden.find(name + "." + std::to_string(inputs.size())))
    inputs.push_back(t->clone().require_grad());
  const Shape& shape = golden.find(name + ".y")->shape();
  Shape dry;
  {
    const DryRun dry_run;
    const Tensor y = GetParam().f(inputs);
    dry = y.shape();
    backward(y, Tensor::empty(dry));
  }
  EXPECT_EQ(dry, shape);
  for (Tensor& t : inputs) t.clear_grad();
  const Profile profile(true);
  backward(GetParam().f(inputs), *golden.find(name + ".dy"));
  double forward = 0, seconds = 0;
  for (const auto& [key, row] : profile.rows()) {
    forward += key.second == Profile::Direction::forward && key.first.find(to_string(shape)) != std::string::npos;
    seconds += row.seconds;
  }
  EXPECT_GE(forward, 1);
  EXPECT_GT(seconds, 0);
}

TEST_P(OnVolumes, the_same_bits_on_any_number_of_threads) {
  const TensorFile golden = load_tensors(source_file("tests/engine/goldens/volume_ops.safetensors"));
  const std::string name = GetParam().name;
  const int before = thread_count();
  std::vector<Values> expected;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    Inputs inputs;
    while (const Tensor* t = golden.find(name + "." + std::to_string(inputs.size())))
      inputs.push_back(t->clone().require_grad());
    const Tensor y = GetParam().f(inputs);
    backward(y, *golden.find(name + ".dy"));
    std::vector<Values> all{y.values()};
    for (const Tensor& t : inputs) all.push_back(t.grad().values());
    if (threads == 1) expected = all;
    EXPECT_EQ(all, expected) << threads;
  }
  set_thread_count(before);
}
INSTANTIATE_TEST_SUITE_P(Ops, OnVolumes, ::testing::ValuesIn(kVolumeOps), [](const auto& i) {
  std::string name = i.param.name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST(Conv3d, gradients) {
  check_gradients(
      {pitched(random_tensor({1, 3, 4, 3, 2}, 1)), random_tensor({3, 2, 3, 2, 2}, 2), random_tensor({3}, 3)},
      [](const Inputs& in) {
        return conv3d(in[0], in[1], in[2], {.stride = {1, 2, 1}, .padding = {1, 0, {0, 2, 1, 0}}});
      });
  check_gradients({random_tensor({2, 3, 2, 2, 2}, 1), random_tensor({3, 1, 2, 1, 2}, 2)}, [](const Inputs& in) {
    const auto out = Tensor::empty_channel_slices({2, 3, 1, 2}, std::vector<int64_t>{1, 3});
    return conv3d(in[0], in[1], {}, {}, out[1]);
  });
  check_gradients({random_tensor({1, 2, 2, 3, 2}, 1), random_tensor({2, 2, 3, 2, 2}, 2), random_tensor({2}, 3)},
                  [](const Inputs& in) {
                    return conv_transpose3d(in[0], in[1], in[2], {.stride = {2, 1, 2}, .crop = {1, 0, {1, 0, 0, 0}}});
                  });
  check_gradients({random_tensor({2, 3, 2, 2, 2}, 1), random_tensor({2, 1, 2, 2, 3}, 2)}, [](const Inputs& in) {
    return conv_transpose3d(in[0], in[1], {}, {.stride = {1, 2, 2}});
  });
}

// One plane is an image: the same bits as the ops of images.
TEST(Conv3d, of_one_plane_is_that_of_an_image) {
  const Tensor x = random_tensor({2, 7, 6, 8}, 1), w = random_tensor({8, 3, 3, 8}, 2), b = random_tensor({8}, 3),
               up = random_tensor({8, 2, 2, 4}, 4);
  EXPECT_EQ(conv3d(x.reshaped({2, 1, 7, 6, 8}), w.reshaped({8, 1, 3, 3, 8}), b, {.padding = Triple(0, 1, 1)}).values(),
            conv2d(x, w, b, {.padding = 1}).values());
  EXPECT_EQ(conv3d(x.reshaped({1, 2, 7, 6, 8}), w.reshaped({8, 1, 3, 3, 8}), b, {.padding = Triple(0, 1, 1)}).values(),
            conv2d(x, w, b, {.padding = 1}).values());
  EXPECT_EQ(
      conv_transpose3d(x.reshaped({1, 2, 7, 6, 8}), up.reshaped({8, 1, 2, 2, 4}), {}, {.stride = {1, 2, 2}}).values(),
      conv_transpose2d(x, up, {}, {.stride = 2}).values());
}

TEST(Conv3d, wrong_arguments_are_sentences) {
  const Tensor x = Tensor::zeros({1, 2, 4, 4, 3}), w = Tensor::zeros({5, 3, 3, 3, 3});
  EXPECT_EQ(error_of([&] {
              conv3d(Tensor::zeros({1, 4, 4, 3}), w);
            }),
            "conv3d: input must be [N,D,H,W,C] and filter [K,T,R,S,C/G], got [1,4,4,3] and [5,3,3,3,3]");
  EXPECT_EQ(error_of([&] { conv3d(x, w); }),
            "conv3d: a filter that reaches 3x3x3 does not fit input [1,2,4,4,3]; pad more or use a larger input");
  EXPECT_EQ(error_of([&] {
              conv3d(x, w, {}, {.padding = {-1, 1, 0}});
            }),
            "conv3d: padding must not be negative; crop instead");
  EXPECT_EQ(error_of([&] {
              conv3d(x, w, {}, {.stride = {0, 1, 1}, .padding = 1});
            }),
            "conv3d: stride and dilation must be at least 1");
  EXPECT_EQ(error_of([&] { conv3d(x, w, Tensor::zeros({3}), {.padding = 1}); }), "conv3d: bias must be [5], got [3]");
  const Tensor up = Tensor::zeros({3, 2, 2, 2, 1});
  EXPECT_EQ(
      error_of([&] {
        conv_transpose3d(x, up, {}, {.output_padding = {1, 0, 0}});
      }),
      "conv_transpose3d: output_padding must be from 0 to below the larger of stride and dilation, got 1, 0 and 0");
  EXPECT_EQ(
      error_of([&] { conv_transpose3d(x, up, {}, {.crop = 2}); }),
      "conv_transpose3d: input [1,2,4,4,3] and filter [3,2,2,2,1] give an output of -1x1x1 positions; crop less or "
      "use a larger input");
  EXPECT_EQ(error_of([&] {
              conv_transpose3d(x, Tensor::zeros({3, 2, 2, 1}));
            }),
            "conv_transpose3d: input must be [N,D,H,W,C] and filter [C,T,R,S,K/G], got [1,2,4,4,3] and [3,2,2,1]");
}

// The maximum that all of a window share is its first in reading order, whichever of the two passes meets it.
TEST(Pool3d, of_equal_maxima_the_first_gets_the_gradient) {
  for (const int first : {0, 1, 2, 3, 4, 5, 6, 7}) {
    Values v(8, 1.0f);
    for (int i = 0; i < first; ++i) v[size_t(i)] = 0;  // all before it are smaller
    Tensor x = Tensor::from({1, 2, 2, 2, 1}, v);
    x.require_grad();
    backward(max_pool3d(x));
    Values expected(8, 0.0f);
    expected[size_t(first)] = 1;
    EXPECT_EQ(x.grad().values(), expected) << first;
  }
  Tensor nans = Tensor::from({1, 2, 1, 1, 1}, Values{3, NAN});
  nans.require_grad();
  const Tensor y = max_pool3d(nans, {.window = {2, 1, 1}, .stride = {2, 1, 1}});
  EXPECT_TRUE(std::isnan(y.item()));
  backward(y);
  EXPECT_EQ(nans.grad().values(), (Values{0, 1}));
}

TEST(Pool3d, sizes_slots_and_errors) {
  const Tensor x = random_tensor({2, 4, 6, 5, 3}, 1);
  EXPECT_EQ(max_pool3d(x).shape(), (Shape{2, 2, 3, 2, 3}));
  EXPECT_EQ(max_pool3d(x, {.window = {1, 2, 2}, .stride = {1, 2, 2}}).values(),
            max_pool2d(x.reshaped({8, 6, 5, 3})).values());
  EXPECT_EQ(max_pool3d(x, {.window = {2, 1, 1}, .stride = {2, 1, 1}}).shape(), (Shape{2, 2, 6, 5, 3}));
  EXPECT_EQ(max_pool3d(x, {.window = 1, .stride = 1}).values(), x.values());
  for (const auto& pool : {std::function([](const Tensor&v, const Tensor&out) { return max_pool3d(v, {}, out); }),
                           std::function([](const Tensor&v, const Tensor&out) { return avg_pool3d(v, {}, out); })}) {
    const auto out = Tensor::empty_channel_slices({2, 2, 3, 2}, std::vector<int64_t>{1, 3});
    EXPECT_EQ(pool(x, out[1]).data(), out[1].data());
    EXPECT_EQ(out[1].values(), pool(x, {}).values());
  }
  EXPECT_EQ(error_of([] {
              max_pool3d(Tensor::zeros({1, 1, 4, 4, 1}));
            }),
            "max_pool3d: a window of 2x2x2 does not fit input [1,1,4,4,1]; use a larger input or fewer poolings");
  EXPECT_EQ(error_of([] {
              avg_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {.padding = {2, 0, 0}});
            }),
            "avg_pool3d: padding must be at least 0 and less than the window 2x2x2");
  EXPECT_EQ(error_of([] {
              max_pool3d(Tensor::zeros({1, 4, 4, 1}));
            }),
            "max_pool3d: input must be [N,D,H,W,C], got [1,4,4,1]");
}

TEST(Upsample3d, doubles_into_a_slot_and_says_what_it_takes) {
  const Tensor x = random_tensor({1, 2, 3, 2, 3}, 1);
  const auto out = Tensor::empty_channel_slices({1, 4, 6, 4}, std::vector<int64_t>{3, 2});
  const Tensor y = upsample3d(x, {4, 6, 4}, {}, out[0]);
  EXPECT_EQ(y.data(), out[0].data());
  const Values v = x.values(), u = y.values();
  for (size_t d = 0; d < 4; ++d)
    for (size_t h = 0; h < 6; ++h)
      for (size_t w = 0; w < 4; ++w)
        for (size_t c = 0; c < 3; ++c)
          ASSERT_EQ(u[((d * 6 + h) * 4 + w) * 3 + c], v[((d / 2 * 3 + h / 2) * 2 + w / 2) * 3 + c]);
  EXPECT_EQ(upsample_by(x, 2).values(), u);
  EXPECT_EQ(upsample3d(x, {2, 3, 2}).values(), v);
  EXPECT_EQ(error_of([&] {
              upsample3d(x, {4, 0, 4});
            }),
            "upsample3d: input [1,2,3,2,3] and output size 4x0x4 must be at least 1");
  EXPECT_EQ(error_of([&] {
              upsample3d(Tensor::zeros({1, 2, 2, 1}), 4);
            }),
            "upsample3d: input must be [N,D,H,W,C], got [1,2,2,1]");
}

TEST(Pad3d, mirrors_crops_and_says_what_it_takes) {
  const Tensor x = random_tensor({2, 3, 2, 4, 2}, 1);
  const Padding3d by(2, 1, {1, 3, 0, 5});
  check_gradients({x}, [&](const Inputs& in) { return mirror_pad3d(in[0], by); });
  check_gradients({pitched(x)}, [&](const Inputs& in) { return crop3d(in[0], {1, 1, {0, 1, 2, 0}}); });
  check_gradients({x}, [&](const Inputs& in) {
    return pad3d(in[0], {1, 0, 0}, Tensor::empty_channel_slices({2, 4, 2, 4}, std::vector<int64_t>{1, 2})[1]);
  });
  const Values v = x.values(), m = mirror_pad3d(x, by).values();
  const auto at = [](int64_t i, int64_t size) { return size_t(kernels::mirrored(i, size)); };
  size_t k = 0;
  for (size_t n = 0; n < 2; ++n)
    for (int64_t d = -2; d < 4; ++d)
      for (int64_t h = -1; h < 5; ++h)
        for (int64_t w = 0; w < 9; ++w)
          for (size_t c = 0; c < 2; ++c, ++k)
            ASSERT_EQ(m[k], v[(((n * 3 + at(d, 3)) * 2 + at(h, 2)) * 4 + at(w, 4)) * 2 + c]);
  EXPECT_EQ(crop3d(mirror_pad3d(x, by), by).values(), v);
  EXPECT_EQ(crop3d(pad3d(x, by), by).values(), v);
  EXPECT_EQ(pad3d(x, 0).data(), x.data());  // nothing to do costs nothing
  EXPECT_EQ(error_of([&] { crop3d(x, 2); }), "crop3d: [2,3,2,4,2] would become -1x-2x0; crop less");
  EXPECT_EQ(error_of([&] {
              mirror_pad3d(Tensor::zeros({1, 0, 2, 2, 1}), 1);
            }),
            "mirror_pad3d: [1,0,2,2,1] holds nothing that could be mirrored");
  EXPECT_EQ(error_of([&] {
              pad3d(Tensor::zeros({1, 2, 2, 1}), 1);
            }),
            "pad3d: input must be [N,D,H,W,C], got [1,2,2,1]");
}

// What asks for no number of dimensions.
TEST(Volumes, join_and_part_like_images) {
  const auto slices = Tensor::empty_channel_slices({1, 2, 3, 2}, std::vector<int64_t>{2, 3});
  const Tensor a = random_tensor({1, 2, 3, 2, 2}, 1), b = random_tensor({1, 2, 3, 2, 3}, 2);
  slices[0].detach().copy_from(a), slices[1].detach().copy_from(b);
  EXPECT_EQ(concat({slices[0], slices[1]}).data(), slices[0].data());
  EXPECT_EQ(concat({slices[0], slices[1]}).values(), concat({a, b}).values());
  EXPECT_EQ(slice(concat({a, b}), -1, 2, 5).values(), b.values());
  for (const int dim : {0, 1, 2, 3})
    EXPECT_EQ(concat({slice(b, dim, 0, 1), slice(b, dim, 1, b.dim(dim))}, dim).values(), b.values()) << dim;
  check_gradients({a}, [](const Inputs& in) { return slice(in[0], 1, 1, 2); });
  const Tensor mean = global_avg_pool(b);
  EXPECT_EQ(mean.shape(), (Shape{1, 3}));
  EXPECT_NEAR(mean.values()[1], sum(slice(b, -1, 1, 2)).item() / 12, 1e-6);
}

TEST(Volumes, norm_act_is_the_ops_one_after_another) {
  const Tensor x = random_tensor({2, 3, 2, 4, 3}, 1), w = random_tensor({3}, 2), b = random_tensor({3}, 3),
               residual = random_tensor({2, 3, 2, 4, 3}, 4);
  for (const bool per_sample : {false, true}) {
    const Tensor y = norm_act(x, {.weight = w, .bias = b, .residual = residual}, {.per_sample = per_sample}),
                 plain = add(per_sample ? instance_norm(x, w, b) : batch_norm(x, w, b, {}, {}), residual);
    EXPECT_LE(distance(y, plain), 1e-6);
  }
  check_gradients({x, w, b, residual}, [](const Inputs& in) {
    return norm_act(in[0], {.weight = in[1], .bias = in[2], .residual = in[3]}, {.per_sample = true});
  });
}

// A channel of a sample, or a sample, is dropped in all planes or in none, and its gradient with it.
TEST(Volumes, dropout_of_channels_and_of_samples_is_of_whole_volumes) {
  const Tensor ones = Tensor::full({6, 3, 4, 2, 5}, 1);
  Generator generator(3);
  const Values channels = channel_dropout(ones, 0.5f, generator).values();
  int dropped = 0;
  for (size_t n = 0; n < 6; ++n)
    for (size_t c = 0; c < 5; ++c) {
      dropped += channels[n * 120 + c] == 0;
      for (size_t i = 0; i < 24; ++i) ASSERT_EQ(channels[n * 120 + i * 5 + c], channels[n * 120 + c]);
    }
  EXPECT_GT(dropped, 5);
  EXPECT_LT(dropped, 25);
  dropped = 0;
  for (int call = 0; call < 10; ++call) {
    const Values samples = sample_dropout(ones, 0.25f, generator).values();
    for (size_t n = 0; n < 6; ++n) {
      dropped += samples[n * 120] == 0;
      for (size_t i = 0; i < 120; ++i) ASSERT_EQ(samples[n * 120 + i], samples[n * 120]);
      if (samples[n * 120] != 0) {
        EXPECT_EQ(samples[n * 120], 1 / 0.75f);
      }
    }
  }
  EXPECT_GT(dropped, 5);
  EXPECT_LT(dropped, 30);
  check_gradients({pitched(random_tensor({4, 2, 2, 1, 2}, 1))}, [](const Inputs& in) {
    Generator again(5);
    again.advance();
    return sample_dropout(in[0], 0.5f, again);
  });
  EXPECT_EQ(error_of([&] { sample_dropout(ones, 1.5f); }),
            "sample_dropout: the probability to drop must be from 0 to 1, got 1.5");
}

}  // namespace
}  // namespace kern
