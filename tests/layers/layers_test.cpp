// What holds for every layer, whatever the layer; then what is special to one.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/unary.h"
#include "layers/batch_norm.h"
#include "layers/conv1d.h"
#include "layers/conv2d.h"
#include "layers/conv3d.h"
#include "layers/conv_norm_act.h"
#include "layers/conv_transpose1d.h"
#include "layers/conv_transpose2d.h"
#include "layers/conv_transpose3d.h"
#include "layers/drop_path.h"
#include "layers/dropout.h"
#include "layers/elu.h"
#include "layers/gelu.h"
#include "layers/group_norm.h"
#include "layers/hardswish.h"
#include "layers/instance_norm.h"
#include "layers/leaky_relu.h"
#include "layers/linear.h"
#include "layers/log_softmax.h"
#include "layers/lstm.h"
#include "layers/pooling.h"
#include "layers/prelu.h"
#include "layers/prepare.h"
#include "layers/relu.h"
#include "layers/relu6.h"
#include "layers/sigmoid.h"
#include "layers/silu.h"
#include "layers/softmax.h"
#include "layers/softplus.h"
#include "layers/tanh.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;

struct Part {
  std::string name;
  Shape shape;
  bool trained = true;
  bool operator==(const Part&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Part& p) {
  return out << p.name << ' ' << to_string(p.shape) << (p.trained ? "" : " (buffer)");
}

struct Expected {
  std::vector<Part> parts;
  int64_t parameters;
  Shape x, y;
};

bool all_finite_and_some_not_zero(const Tensor& t) {
  bool some = false;
  for (float v : t.values()) {
    if (!std::isfinite(v)) return false;
    some |= v != 0;
  }
  return some;
}

// make: -> a new layer, with other initial values on every call.
template <class Make>
void check_layer(const char* title, Make make, const Expected& expected) {
  SCOPED_TRACE(title);
  set_seed(1);
  auto layer = make();
  static_assert(UnaryModule<decltype(layer)>);

  std::vector<Part> parts;
  for (const NamedTensor& t : named_tensors(layer)) parts.push_back({t.name, t.tensor.shape(), t.trained});
  EXPECT_EQ(parts, expected.parts);
  EXPECT_EQ(parameter_count(layer), expected.parameters);

  // Every parameter and the input get a gradient; frozen parameters get none, the input still does.
  auto run_backward = [&] {
    Tensor x = random_tensor(expected.x, 7);
    x.require_grad();
    for (NamedTensor& p : named_parameters(layer)) p.tensor.clear_grad();
    const Tensor y = layer(x);
    ASSERT_EQ(y.shape(), expected.y);
    EXPECT_TRUE(all_finite_and_some_not_zero(y));
    backward(y, random_tensor(y.shape(), 8));
    ASSERT_TRUE(x.grad());
    EXPECT_TRUE(all_finite_and_some_not_zero(x.grad()));
  };
  run_backward();
  for (const NamedTensor& p : named_parameters(layer)) {
    ASSERT_TRUE(p.tensor.grad()) << p.name;
    EXPECT_TRUE(all_finite_and_some_not_zero(p.tensor.grad())) << p.name;
  }
  set_frozen(layer, true);
  run_backward();
  for (const NamedTensor& p : named_parameters(layer)) EXPECT_FALSE(p.tensor.grad()) << p.name;
  set_frozen(layer, false);
  run_backward();
  for (const NamedTensor& p : named_parameters(layer)) EXPECT_TRUE(p.tensor.grad()) << p.name;

  // Parameters and buffers are the whole of a layer: copied, they give the same values. Evaluation changes none of
  // them.
  auto other = make();
  uint32_t seed = 20;
  for (NamedTensor& t : named_tensors(layer)) t.tensor.copy_from(random_tensor(t.tensor.shape(), ++seed, 0.5f, 1.5f));
  set_training(layer, false);
  set_training(other, false);
  const Tensor x = random_tensor(expected.x, 9);
  const std::vector<float> y = layer(x).values();
  if (!expected.parts.empty()) {
    EXPECT_NE(other(x).values(), y);
    copy_tensors(layer, other);
  }
  EXPECT_EQ(other(x).values(), y);
  const auto before = named_tensors(layer), after = named_tensors(other);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(before[i].tensor.values(), after[i].tensor.values()) << before[i].name;

  // Into a slice of a wider buffer, where the layer takes one.
  if constexpr (requires { layer(x, x); }) {
    Tensor out = pitched(Tensor::zeros(expected.y));
    EXPECT_EQ(layer(x, out).pitch(), out.pitch());
    EXPECT_EQ(out.values(), y);
  }
}

TEST(Layers, convolutions) {
  check_layer("Conv1d", [] { return Conv1d({.in = 3, .out = 5, .kernel = 3, .stride = 2, .padding = 1}); },
              {{{"weight", {5, 3, 3}}, {"bias", {5}}}, 50, {2, 7, 3}, {2, 4, 5}});
  check_layer("Conv1d, groups, no bias",
              [] { return Conv1d({.in = 4, .out = 6, .kernel = 2, .dilation = 3, .groups = 2, .bias = false}); },
              {{{"weight", {6, 2, 2}}}, 24, {1, 5, 4}, {1, 2, 6}});
  check_layer("Conv2d",
              [] {
                return Conv2d({.in = 3, .out = 2, .kernel = {3, 5}, .padding = {0, 1, 2, 3}});
              },
              {{{"weight", {2, 3, 5, 3}}, {"bias", {2}}}, 92, {2, 5, 7, 3}, {2, 4, 8, 2}});
  check_layer("Conv2d, depthwise",
              [] { return Conv2d({.in = 3, .out = 3, .kernel = 3, .stride = 2, .groups = 3, .bias = false}); },
              {{{"weight", {3, 3, 3, 1}}}, 27, {1, 9, 5, 3}, {1, 4, 2, 3}});
  check_layer("Conv3d",
              [] {
                return Conv3d({.in = 3, .out = 2, .kernel = {2, 3, 5}, .padding = {1, 0, {0, 1, 2, 3}}});
              },
              {{{"weight", {2, 2, 3, 5, 3}}, {"bias", {2}}}, 182, {2, 3, 5, 7, 3}, {2, 3, 4, 8, 2}});
  check_layer("Conv3d, groups, no bias",
              [] {
                return Conv3d({.in = 4, .out = 2, .kernel = 3, .stride = {2, 1, 2}, .groups = 2, .bias = false});
              },
              {{{"weight", {2, 3, 3, 3, 2}}}, 108, {1, 5, 3, 6, 4}, {1, 2, 1, 2, 2}});
}

TEST(Layers, transposed_convolutions) {
  check_layer(
      "ConvTranspose1d",
      [] { return ConvTranspose1d({.in = 3, .out = 2, .kernel = 3, .stride = 2, .crop = 1, .output_padding = 1}); },
      {{{"weight", {3, 3, 2}}, {"bias", {2}}}, 20, {2, 5, 3}, {2, 10, 2}});
  check_layer("ConvTranspose1d, no bias",
              [] { return ConvTranspose1d({.in = 2, .out = 1, .kernel = 4, .bias = false}); },
              {{{"weight", {2, 4, 1}}}, 8, {1, 3, 2}, {1, 6, 1}});
  check_layer("ConvTranspose2d",
              [] {
                return ConvTranspose2d({.in = 3, .out = 2, .kernel = {2, 3}, .stride = {2, 1}});
              },
              {{{"weight", {3, 2, 3, 2}}, {"bias", {2}}}, 38, {1, 3, 5, 3}, {1, 6, 7, 2}});
  check_layer("ConvTranspose2d, no bias",
              [] { return ConvTranspose2d({.in = 1, .out = 3, .kernel = 3, .crop = 1, .bias = false}); },
              {{{"weight", {1, 3, 3, 3}}}, 27, {2, 3, 5, 1}, {2, 3, 5, 3}});
  check_layer("ConvTranspose3d",
              [] {
                return ConvTranspose3d({.in = 3, .out = 2, .kernel = {2, 1, 3}, .stride = {2, 1, 1}});
              },
              {{{"weight", {3, 2, 1, 3, 2}}, {"bias", {2}}}, 38, {1, 2, 3, 5, 3}, {1, 4, 3, 7, 2}});
  check_layer("ConvTranspose3d, no bias",
              [] { return ConvTranspose3d({.in = 1, .out = 2, .kernel = 4, .stride = 2, .crop = 1, .bias = false}); },
              {{{"weight", {1, 4, 4, 4, 2}}}, 128, {2, 2, 3, 1, 1}, {2, 4, 6, 2, 2}});
}

TEST(Layers, convolutions_with_norm_and_activation) {
  const auto parts = [](const Shape& weight) {
    return std::vector<Part>{{"conv.weight", weight},
                             {"norm.weight", {2}},
                             {"norm.bias", {2}},
                             {"norm.running_mean", {2}, false},
                             {"norm.running_variance", {2}, false}};
  };
  check_layer("ConvNormAct2d", [] { return ConvNormAct2d({.conv = {.in = 3, .out = 2, .kernel = 3, .bias = false}}); },
              {parts({2, 3, 3, 3}), 58, {2, 5, 7, 3}, {2, 3, 5, 2}});
  check_layer("ConvNormAct3d",
              [] { return ConvNormAct3d({.conv = {.in = 3, .out = 2, .kernel = 3, .padding = 1, .bias = false}}); },
              {parts({2, 3, 3, 3, 3}), 166, {2, 3, 5, 2, 3}, {2, 3, 5, 2, 2}});
  check_layer("ConvTransposeNormAct3d",
              [] { return ConvTransposeNormAct3d({.in = 3, .out = 2, .kernel = 2, .stride = 2, .bias = false}); },
              {parts({3, 2, 2, 2, 2}), 52, {1, 2, 3, 2, 3}, {1, 4, 6, 4, 2}});
}

// In prediction the norm and the ReLU are taken into the convolution, of volumes too.
TEST(Layers, norms_are_folded_into_convolutions_of_volumes) {
  const auto check_folding = [](AnyModule layer, const Shape& shape) {
    for (NamedTensor t : layer.tensors()) t.tensor.copy_from(random_tensor(t.tensor.shape(), 3, 0.2f, 1.5f));
    layer.set_training(false);
    const NoGrad off;
    const Preparation preparation(false);
    const Tensor x = random_tensor(shape, 4), plain = layer(x), folded = prepare(layer, preparation)(x);
    for (size_t i = 0; i < plain.values().size(); ++i)
      ASSERT_TRUE(std::abs(plain.values()[i] - folded.values()[i]) <= 1e-5f * (1 + std::abs(plain.values()[i])));
    EXPECT_EQ(preparation.summary().norms, 1);
    EXPECT_EQ(preparation.summary().activations, 1);
  };
  set_seed(1);
  check_folding(AnyModule(ConvNormAct3d({.conv = {.in = 4, .out = 6, .kernel = {3, 1, 2}, .groups = 2}})),
                {2, 4, 3, 4, 4});
  check_folding(AnyModule(ConvNormAct3d({.conv = {.in = 4, .out = 6, .kernel = 1}})), {2, 4, 3, 4, 4});
  check_folding(AnyModule(ConvTransposeNormAct3d({.in = 4, .out = 3, .kernel = {2, 3, 2}, .stride = 2})),
                {1, 2, 3, 2, 4});
}

TEST(Layers, linear) {
  check_layer("Linear", [] { return Linear({.in = 5, .out = 3}); },
              {{{"weight", {3, 5}}, {"bias", {3}}}, 18, {7, 5}, {7, 3}});
  check_layer("Linear per position, no bias", [] { return Linear({.in = 5, .out = 1, .bias = false}); },
              {{{"weight", {1, 5}}}, 5, {2, 3, 5}, {2, 3, 1}});
}

TEST(Layers, lstm) {
  check_layer("Lstm", [] { return Lstm({.in = 3, .hidden = 2}); },
              {{{"weight_ih_l0", {8, 3}}, {"weight_hh_l0", {8, 2}}, {"bias_ih_l0", {8}}, {"bias_hh_l0", {8}}},
               56,
               {2, 5, 3},
               {2, 5, 2}});
  std::vector<Part> parts;
  for (const char* layer : {"l0", "l0_reverse", "l1", "l1_reverse"}) {
    const int64_t in = std::string(layer).starts_with("l0") ? 3 : 4;
    parts.push_back({std::string("weight_ih_") + layer, {8, in}});
    parts.push_back({std::string("weight_hh_") + layer, {8, 2}});
    parts.push_back({std::string("bias_ih_") + layer, {8}});
    parts.push_back({std::string("bias_hh_") + layer, {8}});
  }
  check_layer("Lstm, two layers, both ways",
              [] { return Lstm({.in = 3, .hidden = 2, .layers = 2, .bidirectional = true}); },
              {parts, 2 * 56 + 2 * 64, {2, 5, 3}, {2, 5, 4}});
}

// Dropout lies between the layers alone, in training alone, and of one layer there is none.
TEST(LstmLayer, dropout_between_the_layers) {
  const Tensor x = random_tensor({2, 5, 3}, 1);
  auto twice = [&](Lstm& lstm) {
    default_generator().set(1, 1);
    const std::vector<float> first = lstm(x).values();
    default_generator().set(1, 2);
    return first == lstm(x).values();
  };
  set_seed(1);
  Lstm one({.in = 3, .hidden = 4, .dropout = 0.5f}), two({.in = 3, .hidden = 4, .layers = 2, .dropout = 0.5f});
  EXPECT_TRUE(twice(one));
  EXPECT_FALSE(twice(two));
  set_training(two, false);
  EXPECT_TRUE(twice(two));
  const double bound = 0.5;  // 1 / sqrt(hidden), whatever comes in
  for (const NamedTensor& p : named_parameters(two))
    for (float v : p.tensor.values()) EXPECT_LE(std::abs(v), bound) << p.name;
  EXPECT_EQ(error_of([&] { one(Tensor::zeros({2, 5, 4})); }), "this LSTM takes [N,L,3], got [2,5,4]");
  EXPECT_EQ(error_of([] { Lstm({.in = 3, .hidden = 0}); }),
            "an LSTM needs inputs, hidden states and layers of at least 1, got 3, 0 and 1");
}

TEST(Layers, norms) {
  const std::vector<Part> affine{{"weight", {3}}, {"bias", {3}}},
      statistics{{"running_mean", {3}, false}, {"running_variance", {3}, false}};
  std::vector<Part> all = affine;
  all.insert(all.end(), statistics.begin(), statistics.end());
  for (const Shape& x : {Shape{5, 3}, Shape{1, 7, 3}, Shape{3, 1, 5, 3}, Shape{2, 3, 1, 5, 3}}) {
    check_layer("BatchNorm", [] { return BatchNorm({.channels = 3}); }, {all, 6, x, x});
    check_layer("BatchNorm, not affine", [] { return BatchNorm({.channels = 3, .affine = false}); },
                {statistics, 0, x, x});
  }
  for (const Shape& x : {Shape{1, 7, 3}, Shape{3, 1, 5, 3}, Shape{2, 3, 1, 5, 3}}) {
    check_layer("InstanceNorm", [] { return InstanceNorm({.channels = 3}); }, {{}, 0, x, x});
    check_layer("InstanceNorm, affine", [] { return InstanceNorm({.channels = 3, .affine = true}); },
                {affine, 6, x, x});
  }
  const std::vector<Part> six{{"weight", {6}}, {"bias", {6}}};
  for (const Shape& x : {Shape{5, 6}, Shape{1, 7, 6}, Shape{3, 1, 5, 6}, Shape{2, 3, 1, 5, 6}}) {
    check_layer("GroupNorm", [] { return GroupNorm({.channels = 6, .groups = 2}); }, {six, 12, x, x});
    check_layer("GroupNorm, not affine", [] { return GroupNorm({.channels = 6, .groups = 3, .affine = false}); },
                {{}, 0, x, x});
  }
}

TEST(Layers, activations) {
  for (const Shape& x : {Shape{5, 3}, Shape{1, 7, 3}, Shape{2, 3, 5, 3}, Shape{2, 3, 2, 5, 3}}) {
    check_layer("Relu", [] { return Relu{}; }, {{}, 0, x, x});
    check_layer("LeakyRelu", [] { return LeakyRelu(0.2f); }, {{}, 0, x, x});
    check_layer("Relu6", [] { return Relu6{}; }, {{}, 0, x, x});
    check_layer("Gelu", [] { return Gelu(); }, {{}, 0, x, x});
    check_layer("Gelu by tanh", [] { return Gelu(GeluForm::tanh); }, {{}, 0, x, x});
    check_layer("Hardswish", [] { return Hardswish{}; }, {{}, 0, x, x});
    check_layer("Silu", [] { return Silu{}; }, {{}, 0, x, x});
    check_layer("Tanh", [] { return Tanh{}; }, {{}, 0, x, x});
    check_layer("Elu", [] { return Elu(0.5f); }, {{}, 0, x, x});
    check_layer("Softplus", [] { return Softplus(2); }, {{}, 0, x, x});
    check_layer("Sigmoid", [] { return Sigmoid{}; }, {{}, 0, x, x});
    check_layer("Softmax", [] { return Softmax{}; }, {{}, 0, x, x});
    check_layer("LogSoftmax", [] { return LogSoftmax{}; }, {{}, 0, x, x});
    check_layer("PRelu", [] { return PRelu(); }, {{{"weight", {1}}}, 1, x, x});
    check_layer("PRelu per channel", [] { return PRelu(3, 0.1f); }, {{{"weight", {3}}}, 3, x, x});
  }
}

TEST(Layers, activations_by_hand) {
  const Tensor x = Tensor::from({1, 2}, std::vector<float>{-4, 4});
  EXPECT_EQ(Relu{}(x).values(), (std::vector<float>{0, 4}));
  EXPECT_EQ(LeakyRelu(0.5f)(x).values(), (std::vector<float>{-2, 4}));
  EXPECT_EQ(LeakyRelu()(x).values(), (std::vector<float>{-4 * 0.01f, 4}));
  EXPECT_EQ(PRelu()(x).values(), (std::vector<float>{-1, 4}));
  EXPECT_EQ(Relu6{}(affine(x, 2)).values(), (std::vector<float>{0, 6}));
  EXPECT_EQ(Elu(0)(x).values(), (std::vector<float>{0, 4}));
  EXPECT_NEAR(Elu(0.5f)(x).values()[0], 0.5 * std::expm1(-4.0), 1e-7);
  EXPECT_NEAR(Gelu()(x).values()[0], -4 * 0.5 * std::erfc(4 / std::sqrt(2.0)), 1e-6);
  EXPECT_NEAR(Gelu(GeluForm::tanh)(x).values()[0],
              -2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (-4 - 0.044715 * 64))), 1e-6);
  EXPECT_NEAR(Hardswish{}(affine(x, 0.5f)).values()[0], -1.0 / 3, 1e-7);
  EXPECT_NEAR(Silu{}(x).values()[0], -4 / (1 + std::exp(4.0)), 1e-7);
  EXPECT_NEAR(Tanh{}(x).values()[1], std::tanh(4.0), 1e-6);
  EXPECT_NEAR(Softplus(2)(x).values()[0], 0.5 * std::log1p(std::exp(-8.0)), 1e-9);
  const double e = std::exp(-8.0);
  const std::vector<float> s = Sigmoid{}(x).values(), p = Softmax{}(x).values(), l = LogSoftmax{}(x).values();
  EXPECT_NEAR(s[0], 1 / (1 + std::exp(4.0)), 1e-7);
  EXPECT_NEAR(s[1], 1 / (1 + std::exp(-4.0)), 1e-7);
  EXPECT_NEAR(p[0], e / (1 + e), 1e-9);
  EXPECT_NEAR(p[1], 1 / (1 + e), 1e-7);
  EXPECT_NEAR(l[0], -8 - std::log1p(e), 1e-6);
  EXPECT_NEAR(l[1], -std::log1p(e), 1e-7);
}

TEST(Layers, pooling_and_resizing) {
  check_layer("MaxPool1d", [] { return MaxPool1d(); }, {{}, 0, {2, 7, 3}, {2, 3, 3}});
  check_layer("MaxPool1d, overlapping", [] { return MaxPool1d({.window = 3, .stride = 2, .padding = 1}); },
              {{}, 0, {1, 5, 3}, {1, 3, 3}});
  check_layer("MaxPool2d", [] { return MaxPool2d(); }, {{}, 0, {2, 5, 7, 3}, {2, 2, 3, 3}});
  check_layer("MaxPool3d", [] { return MaxPool3d(); }, {{}, 0, {2, 5, 2, 7, 3}, {2, 2, 1, 3, 3}});
  check_layer("AvgPool3d", [] { return AvgPool3d({.window = 3, .stride = 2, .padding = 1}); },
              {{}, 0, {1, 5, 2, 7, 3}, {1, 3, 1, 4, 3}});
  check_layer("AvgPool1d", [] { return AvgPool1d(); }, {{}, 0, {2, 7, 3}, {2, 3, 3}});
  check_layer("AvgPool2d, overlapping", [] { return AvgPool2d({.window = 3, .stride = 2, .padding = 1}); },
              {{}, 0, {1, 5, 7, 3}, {1, 3, 4, 3}});
  check_layer("GlobalAvgPool", [] { return GlobalAvgPool{}; }, {{}, 0, {2, 5, 7, 3}, {2, 3}});
  check_layer("Upsample", [] { return Upsample(2); }, {{}, 0, {2, 3, 5, 3}, {2, 6, 10, 3}});
  check_layer("Upsample of a volume", [] { return Upsample(2); }, {{}, 0, {2, 2, 3, 5, 3}, {2, 4, 6, 10, 3}});
  check_layer("Upsample of a signal", [] { return Upsample(2); }, {{}, 0, {2, 5, 3}, {2, 10, 3}});
}

TEST(Layers, dropouts) {
  check_layer("Dropout", [] { return Dropout(0.3f); }, {{}, 0, {5, 7, 3}, {5, 7, 3}});
  check_layer("ChannelDropout", [] { return ChannelDropout(0.3f); }, {{}, 0, {5, 7, 3}, {5, 7, 3}});
  check_layer("DropPath", [] { return DropPath(0.3f); }, {{}, 0, {5, 2, 3, 2, 3}, {5, 2, 3, 2, 3}});
}

TEST(DropPathLayer, drops_a_sample_whole_in_training_alone) {
  set_seed(2);
  DropPath drop(0.5f);
  const Tensor x = Tensor::full({40, 2, 3, 2, 4}, 1);
  const std::vector<float> y = drop(x).values();
  int dropped = 0;
  for (size_t n = 0; n < 40; ++n) {
    dropped += y[n * 48] == 0;
    for (size_t i = 0; i < 48; ++i) ASSERT_EQ(y[n * 48 + i], y[n * 48]);
    EXPECT_TRUE(y[n * 48] == 0 || y[n * 48] == 2);
  }
  EXPECT_GT(dropped, 5);
  EXPECT_LT(dropped, 35);
  set_training(drop, false);
  EXPECT_EQ(drop(x).data(), x.data());
}

TEST(Layers, linear_by_hand) {
  Linear layer({.in = 2, .out = 2});
  layer.weight.copy_from(Tensor::from({2, 2}, std::vector<float>{1, 2, 3, 4}));
  layer.bias.copy_from(Tensor::from({2}, std::vector<float>{10, 20}));
  EXPECT_EQ(layer(Tensor::from({1, 2}, std::vector<float>{1, -1})).values(), (std::vector<float>{9, 19}));
}

TEST(Layers, initial_values_lie_within_the_fan_in) {
  set_seed(5);
  Linear linear({.in = 16, .out = 40});
  Conv2d conv({.in = 4, .out = 40, .kernel = 2});
  for (const Tensor* t :
       {static_cast<Tensor*>(&linear.weight), static_cast<Tensor*>(&linear.bias), static_cast<Tensor*>(&conv.weight)}) {
    float largest = 0;
    for (float v : t->values()) {
      EXPECT_LE(std::abs(v), 0.25f);  // 1 / sqrt(16)
      largest = std::max(largest, std::abs(v));
    }
    EXPECT_GE(largest, 0.2f);
  }
}

// Two channels. Batch 1: 1 3 | -2 2, means 2 and 0, variances 1 and 4, unbiased 2 and 8. Batch 2: 5 5 | 0 4, means 5
// and 2, variances 0 and 4, unbiased 0 and 8. Momentum 1/4: every number below is exact.
TEST(BatchNormLayer, running_statistics_by_hand) {
  BatchNorm norm({.channels = 2, .eps = 0, .momentum = 0.25});
  const std::vector<float> zeros{0, 0}, ones{1, 1};
  EXPECT_EQ(norm.running_mean.values(), zeros);
  EXPECT_EQ(norm.running_variance.values(), ones);

  const Tensor x = Tensor::from({2, 1, 2}, std::vector<float>{1, -2, 3, 2});
  EXPECT_EQ(norm(x).values(), (std::vector<float>{-1, -1, 1, 1}));
  EXPECT_EQ(norm.running_mean.values(), (std::vector<float>{0.5f, 0}));
  EXPECT_EQ(norm.running_variance.values(), (std::vector<float>{1.25f, 2.75f}));

  norm.config.eps = 1;  // the constant channel of batch 2 has no variance
  norm(Tensor::from({2, 1, 2}, std::vector<float>{5, 0, 5, 4}));
  EXPECT_EQ(norm.running_mean.values(), (std::vector<float>{1.625f, 0.5f}));
  EXPECT_EQ(norm.running_variance.values(), (std::vector<float>{0.9375f, 4.0625f}));

  // In evaluation nothing follows, and y = weight (x - running mean) / sqrt(running variance + eps) + bias.
  set_training(norm, false);
  norm.running_mean.copy_from(Tensor::from({2}, std::vector<float>{1, -2}));
  norm.running_variance.copy_from(Tensor::from({2}, std::vector<float>{3, 15}));
  norm.weight.copy_from(Tensor::from({2}, std::vector<float>{2, 4}));
  norm.bias.copy_from(Tensor::from({2}, std::vector<float>{0, 1}));
  EXPECT_EQ(norm(x).values(), (std::vector<float>{0, 1, 2, 5}));
  EXPECT_EQ(norm(Tensor::from({1, 2}, std::vector<float>{3, -6})).values(), (std::vector<float>{2, -3}))
      << "one sample is enough";
  EXPECT_EQ(norm.running_mean.values(), (std::vector<float>{1, -2}));
  EXPECT_EQ(norm.running_variance.values(), (std::vector<float>{3, 15}));
}

// The backward pass of a step must not mind that the same layer's statistics moved on in the meantime (a layer used
// twice).
TEST(BatchNormLayer, may_be_used_twice_in_a_step) {
  BatchNorm norm({.channels = 2});
  Tensor x = random_tensor({4, 2}, 1);
  x.require_grad();
  const Tensor y = norm(norm(x));
  backward(y, random_tensor({4, 2}, 2));
  EXPECT_TRUE(all_finite_and_some_not_zero(x.grad()));
  EXPECT_TRUE(norm.weight.grad());
}

template <class Layer>
void check_dropout(int64_t values_per_mask) {
  Layer drop(0.5f);
  const Tensor x = Tensor::full({8, 5, 4}, 1);
  auto passes = [&](uint64_t seed, uint64_t step) {
    default_generator().set(seed, step);
    std::vector<float> first = drop(x).values(), second = drop(x).values();
    return std::pair(first, second);
  };
  const auto [first, second] = passes(3, 10);
  EXPECT_NE(first, second) << "two passes in one step";
  EXPECT_EQ(passes(3, 10), std::pair(first, second)) << "the same seed and step repeat";
  EXPECT_NE(passes(3, 11).first, first) << "another step";
  EXPECT_NE(passes(4, 10).first, first) << "another seed";
  default_generator().set(3, 9);
  default_generator().advance();
  EXPECT_EQ(drop(x).values(), first) << "advance() comes to the next step";

  int64_t kept = 0;
  for (float v : first) {
    EXPECT_TRUE(v == 0 || v == 2) << v;
    kept += v == 2;
  }
  EXPECT_EQ(kept % values_per_mask, 0);
  EXPECT_GT(kept, 160 / 4);
  EXPECT_LT(kept, 160 * 3 / 4);

  set_training(drop, false);
  EXPECT_EQ(drop(x).values(), x.values());
  set_training(drop, true);
  EXPECT_EQ(Layer(0)(x).values(), x.values());
  EXPECT_EQ(passes(3, 10).first, first);
}
TEST(DropoutLayer, differs_by_call_step_and_seed_and_only_in_training) { check_dropout<Dropout>(1); }
TEST(ChannelDropoutLayer, differs_by_call_step_and_seed_and_only_in_training) {
  check_dropout<ChannelDropout>(5);
  ChannelDropout drop(0.5f);
  default_generator().set(1, 1);
  const std::vector<float> y = drop(Tensor::full({8, 5, 4}, 1)).values();
  for (size_t n = 0; n < 8; ++n)
    for (size_t l = 1; l < 5; ++l)
      for (size_t c = 0; c < 4; ++c)
        EXPECT_EQ(y[(n * 5 + l) * 4 + c], y[n * 20 + c]) << "a channel of a sample lives or dies whole";
}

// Layers one after another: names number through, training and evaluation reach every one.
TEST(Layers, in_a_sequence) {
  set_seed(2);
  Sequential net(Conv1d({.in = 2, .out = 4, .kernel = 3, .padding = 1, .bias = false}), BatchNorm({.channels = 4}),
                 LeakyRelu(), Dropout(0.5f), MaxPool1d(), Linear({.in = 4, .out = 3}), LogSoftmax());
  std::vector<std::string> names;
  for (const NamedTensor& t : named_tensors(net)) names.push_back(t.name);
  EXPECT_EQ(names, (std::vector<std::string>{"0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_variance",
                                             "5.weight", "5.bias"}));
  EXPECT_EQ(parameter_count(net), 24 + 8 + 15);
  const Tensor x = random_tensor({2, 7, 2}, 3);
  default_generator().set(1, 1);
  const std::vector<float> training = net(x).values();
  AnyModule any(net);
  any.set_training(false);
  const std::vector<float> evaluation = any(x).values();
  EXPECT_NE(evaluation, training);
  EXPECT_EQ(any(x).values(), evaluation);
}

}  // namespace
}  // namespace kern
