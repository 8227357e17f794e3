// Tensors kept as bf16: every op takes them. Those that say so give bf16 again, the others floats; values and gradients
// are those of the same floats, rounded.
#include <gtest/gtest.h>

#include <functional>

#include "engine/autograd.h"
#include "engine/gpu.h"
#include "engine/ops/add.h"
#include "engine/ops/avg_pool.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/bce_with_logits.h"
#include "engine/ops/cast.h"
#include "engine/ops/concat.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/conv_transpose2d.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dropout.h"
#include "engine/ops/focal.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/group_norm.h"
#include "engine/ops/head_cross_entropy.h"
#include "engine/ops/instance_norm.h"
#include "engine/ops/kl_normal.h"
#include "engine/ops/linear.h"
#include "engine/ops/lstm.h"
#include "engine/ops/max_pool.h"
#include "engine/ops/mse.h"
#include "engine/ops/mul.h"
#include "engine/ops/norm_act.h"
#include "engine/ops/pad.h"
#include "engine/ops/prelu.h"
#include "engine/ops/reshape.h"
#include "engine/ops/slice.h"
#include "engine/ops/softmax.h"
#include "engine/ops/ssim.h"
#include "engine/ops/sum.h"
#include "engine/ops/tversky.h"
#include "engine/ops/unary.h"
#include "engine/ops/upsample.h"
#include "engine/random.h"
#include "kernels/common/precision.h"
#include "tests/support/error_of.h"

namespace kern {
namespace {
using namespace kern::testing;

Tensor noise(const Shape& shape, uint32_t number) {
  RandomSequence random(5, RandomStream::noise, number);
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.mutate()[i] = random.normal();
  return cast(cast(t, DType::bf16), DType::f32);  // what bf16 holds exactly
}
Tensor classes(const Shape& shape, int n) {
  Tensor t = Tensor::empty(shape, {.dtype = DType::i32});
  for (int64_t i = 0; i < t.size(); ++i) t.mutate<int32_t>()[i] = int32_t(i % n);
  return t;
}
double largest(const std::vector<float>& values) {
  double most = 0;
  for (float v : values) most = std::max(most, std::abs(double(v)));
  return most;
}
// Within 2^-6 of the largest: roundings of a value and of what it was made from.
void expect_alike(const std::vector<float>& got, const std::vector<float>& expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size());
  const double allowed = largest(expected) / 64 + 1e-6;
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], allowed) << what << " " << i;
}

struct OpCase {
  const char* name;
  DType gives;
  Shape x;
  std::function<Tensor(const Tensor& x, Device device)> op;
};
void PrintTo(const OpCase& c, std::ostream* out) { *out << c.name; }

const Shape kImage{2, 6, 8, 8};
Tensor there(const Shape& shape, uint32_t number, Device device) { return noise(shape, number).to(device); }
Generator& same_masks() {
  static Generator generator(3);
  generator = Generator(3);
  return generator;
}

const OpCase kEverywhere[] = {
    {"relu", DType::bf16, kImage, [](const Tensor& x, Device) { return relu(x); }},
    {"sigmoid", DType::bf16, kImage, [](const Tensor& x, Device) { return sigmoid(x); }},
    {"prelu", DType::bf16, kImage, [](const Tensor& x, Device d) { return prelu(x, there({8}, 1, d)); }},
    {"dropout", DType::bf16, kImage, [](const Tensor& x, Device) { return dropout(x, 0.4f, same_masks()); }},
    {"channel_dropout", DType::bf16, kImage,
     [](const Tensor& x, Device) { return channel_dropout(x, 0.4f, same_masks()); }},
    {"avg_pool", DType::bf16, kImage, [](const Tensor& x, Device) { return avg_pool2d(x, {}); }},
    {"pad", DType::bf16, kImage, [](const Tensor& x, Device) { return pad(x, Padding(1, 0, 2, 1)); }},
    {"mirror_pad", DType::bf16, kImage, [](const Tensor& x, Device) { return mirror_pad(x, Padding(1, 0, 2, 9)); }},
    {"crop", DType::bf16, kImage, [](const Tensor& x, Device) { return crop(x, Padding(1, 0, 2, 1)); }},
    {"slice", DType::bf16, kImage, [](const Tensor& x, Device) { return slice(x, -1, 3, 7); }},
    {"reshape", DType::bf16, kImage,
     [](const Tensor& x, Device) {
       return reshape(x, {2, -1});
     }},
    {"concat", DType::bf16, kImage,
     [](const Tensor& x, Device) {
       return concat({slice(x, -1, 5, 8), x});
     }},
    {"concat_with_floats", DType::bf16, kImage,
     [](const Tensor& x, Device d) {
       return concat({there(kImage, 1, d), x});
     }},
    {"batch_norm", DType::bf16, kImage,
     [](const Tensor& x, Device d) { return batch_norm(x, there({8}, 1, d), there({8}, 2, d), {}, {}, {}); }},
    {"group_norm", DType::bf16, kImage,
     [](const Tensor& x, Device d) { return group_norm(x, 2, there({8}, 1, d), there({8}, 2, d)); }},
    {"instance_norm", DType::bf16, kImage,
     [](const Tensor& x, Device d) { return instance_norm(x, there({8}, 1, d), there({8}, 2, d)); }},
    {"add", DType::bf16, kImage, [](const Tensor& x, Device d) { return add(x, there(kImage, 1, d)); }},
    {"add_to_float", DType::f32, kImage, [](const Tensor& x, Device d) { return add(there(kImage, 1, d), x); }},
    {"mul", DType::bf16, kImage, [](const Tensor& x, Device d) { return mul(x, there({8}, 1, d)); }},
    {"global_avg_pool", DType::f32, kImage, [](const Tensor& x, Device) { return global_avg_pool(x); }},
    {"linear", DType::f32, kImage,
     [](const Tensor& x, Device d) {
       return linear(x, there({3, 8}, 1, d), there({3}, 2, d));
     }},
    {"lstm",
     DType::f32,
     {2, 5, 8},
     [](const Tensor& x, Device d) {
       return lstm(x, there({12, 8}, 1, d), there({12, 3}, 2, d));
     }},
    {"softmax", DType::f32, kImage, [](const Tensor& x, Device) { return softmax(x); }},
    {"sum", DType::f32, kImage, [](const Tensor& x, Device) { return sum(x); }},
    {"mean", DType::f32, kImage, [](const Tensor& x, Device) { return mean(x); }},
    {"mse", DType::f32, kImage, [](const Tensor& x, Device d) { return mse(x, there(kImage, 1, d)); }},
    {"ssim",
     DType::f32,
     {1, 12, 13, 2},
     [](const Tensor& x, Device d) {
       return ssim(x, there({1, 12, 13, 2}, 1, d), 2);
     }},
    {"kl_normal",
     DType::f32,
     {4, 3},
     [](const Tensor& x, Device d) {
       return kl_normal(x, there({4, 3}, 1, d));
     }},
    {"bce_with_logits", DType::f32, kImage,
     [](const Tensor& x, Device d) { return bce_with_logits(x, sigmoid(there(kImage, 1, d))); }},
    {"cross_entropy", DType::f32, kImage,
     [](const Tensor& x, Device d) {
       return cross_entropy(x, classes({2, 6, 8}, 8).to(d));
     }},
    {"focal", DType::f32, kImage,
     [](const Tensor& x, Device d) {
       return focal(x, classes({2, 6, 8}, 8).to(d));
     }},
    {"tversky", DType::f32, kImage,
     [](const Tensor& x, Device d) {
       return tversky(x, classes({2, 6, 8}, 8).to(d));
     }},
    {"head_cross_entropy", DType::f32, kImage,
     [](const Tensor& x, Device d) {
       return head_cross_entropy(x, there({4, 1, 1, 8}, 1, d), there({4}, 2, d), classes({2, 6, 8}, 4).to(d));
     }},
};
const OpCase kOnGpus[] = {
    {"conv2d", DType::bf16, kImage,
     [](const Tensor& x, Device d) {
       return conv2d(x, there({16, 3, 3, 8}, 1, d), there({16}, 2, d), {.padding = 1});
     }},
    {"wide_conv2d",
     DType::bf16,
     {1, 16, 16, 16},
     [](const Tensor& x, Device d) {
       return conv2d(x, there({24, 3, 3, 16}, 1, d), there({24}, 2, d), {.padding = 1});
     }},
    {"conv2d_of_a_slice",
     DType::bf16,
     {1, 16, 16, 20},  // begins in the middle of 16 bytes
     [](const Tensor& x, Device d) {
       return conv2d(slice(x, -1, 3, 19), there({16, 3, 3, 16}, 1, d), {}, {.padding = 1});
     }},
    {"conv_transpose2d",
     DType::bf16,
     {1, 8, 16, 16},
     [](const Tensor& x, Device d) {
       return conv_transpose2d(x, there({16, 2, 2, 16}, 1, d), there({16}, 2, d), {.stride = 2});
     }},
    {"max_pool", DType::bf16, kImage, [](const Tensor& x, Device) { return max_pool2d(x); }},
    {"upsample", DType::bf16, kImage, [](const Tensor& x, Device) { return upsample(x, Pair(9, 12)); }},
    {"norm_act", DType::bf16, kImage,
     [](const Tensor& x, Device d) {
       return norm_act(x, {.weight = there({8}, 1, d), .bias = there({8}, 2, d), .residual = x},
                       {.act = Activation::relu, .dropout = 0.3f}, {}, same_masks());
     }},
    {"used_twice", DType::bf16, kImage,
     [](const Tensor& x, Device) {
       return max_pool2d(concat({x, slice(x, -1, 0, 8)}));
     }},
};

// The values of y, of which loss is a weighted sum, and the loss's gradient with respect to x.
struct Run {
  DType type;
  std::vector<float> y, dx;
};
Run run(const OpCase& c, Device device, bool kept) {
  Tensor x = noise(c.x, 9).to(device).clone();
  x.require_grad();
  const Tensor y = c.op(kept ? cast(x, DType::bf16) : x, device);
  backward(y, cast(noise(y.shape(), 11).to(device), y.dtype()));
  return {y.dtype(), y.values(), x.grad().values()};
}
void expect_same(const OpCase& c, Device device) {
  const Run of_floats = run(c, device, false), kept = run(c, device, true);
  EXPECT_EQ(kept.type, c.gives);
  expect_alike(kept.y, of_floats.y, "value");
  expect_alike(kept.dx, of_floats.dx, "gradient");
}

class Bf16Everywhere : public ::testing::TestWithParam<OpCase> {};
TEST_P(Bf16Everywhere, is_the_float_op_rounded) {
  expect_same(GetParam(), Device::cpu);
  if (gpu_available()) expect_same(GetParam(), Device::cuda);
}
class Bf16OnGpus : public ::testing::TestWithParam<OpCase> {};
TEST_P(Bf16OnGpus, is_the_float_op_rounded) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  expect_same(GetParam(), Device::cuda);
}
constexpr auto kNameOf = [](const auto& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Ops, Bf16Everywhere, ::testing::ValuesIn(kEverywhere), kNameOf);
INSTANTIATE_TEST_SUITE_P(Ops, Bf16OnGpus, ::testing::ValuesIn(kOnGpus), kNameOf);

TEST(Bf16Tensor, is_filled_copied_and_read_as_floats) {
  Tensor t = Tensor::full({3, 5}, 1.005f, {.dtype = DType::bf16});
  EXPECT_EQ(t.values(), std::vector<float>(15, 1.0078125f));
  t.channel_slice(1, 3).fill(0);
  EXPECT_EQ(t.values()[1], 0);
  EXPECT_EQ(t.values()[3], 1.0078125f);
  EXPECT_EQ(t.clone().values(), t.values());
  EXPECT_SAYS(error_of([&] { t.data(); }), "a tensor of bf16 was used as f32");
  EXPECT_SAYS(error_of([&] { cast(classes({3}, 2), DType::f32); }), "only f32 and bf16");
}

TEST(Bf16Tensor, follows_from_a_convolution_where_the_precision_says_so) {
  const Tensor x = noise({1, 4, 4, 2}, 1), w = noise({3, 1, 1, 2}, 2);
  kernels::set_precision(kernels::Precision::bf16);
  EXPECT_EQ(activation_options(x).dtype, DType::f32) << "the CPU keeps floats";
  EXPECT_EQ(conv2d(x, w).dtype(), DType::f32);
  if (gpu_available()) {
    EXPECT_EQ(conv2d(x.to(Device::cuda), w.to(Device::cuda)).dtype(), DType::bf16);
  }
  kernels::set_precision(kernels::Precision::f32);
}

}  // namespace
}  // namespace kern
