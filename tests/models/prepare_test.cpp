// A prepared network predicts what the plain one does, but for rounding.
#include "layers/prepare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/dry_run.h"
#include "engine/gpu.h"
#include "engine/ops/sum.h"
#include "engine/random.h"
#include "kernels/common/dispatch.h"
#include "kernels/common/parallel.h"
#include "layers/fusion.h"
#include "layers/relu.h"
#include "models/high_resolution3d.h"
#include "models/mobilenet_unet.h"
#include "models/table2d.h"
#include "models/table_autoencoder.h"
#include "models/unet1d.h"
#include "models/unet3d.h"
#include "tests/support/log_capture.h"

namespace kern {
namespace {

using namespace kern::testing;

Tensor prepare_inputs(const Shape& shape, uint32_t number) {
  RandomSequence random(5, RandomStream::noise, number);
  Tensor x = Tensor::empty(shape);
  for (int64_t i = 0; i < x.size(); ++i) x.mutate()[i] = float(random.uniform());
  return x;
}

// Norms with statistics and weights as after a training: away from 0 and 1, variances over two decades.
void settle_norms(const AnyModule& network) {
  RandomSequence random(6, RandomStream::noise, 0);
  for (NamedTensor t : network.tensors()) {
    const bool norm_weight = t.tensor.rank() == 1 && t.name.ends_with("weight");
    if (!norm_weight && !t.name.ends_with("running_mean") && !t.name.ends_with("running_variance")) continue;
    for (int64_t i = 0; i < t.tensor.size(); ++i) {
      const float u = float(random.uniform());
      t.tensor.mutate()[i] = t.name.ends_with("running_mean")       ? u - 0.5f
                             : t.name.ends_with("running_variance") ? std::pow(10.0f, 2 * u - 1)
                                                                    : 0.5f + u;
    }
  }
}

// The largest difference as a share of the largest value; NaN if there is any.
double prepare_difference(const Tensor& a, const Tensor& b) {
  const std::vector<float> u = a.values(), v = b.values();
  double largest = 0, difference = 0;
  for (size_t i = 0; i < u.size(); ++i) {
    if (!(std::isfinite(u[i]) && std::isfinite(v[i]))) return NAN;
    largest = std::max(largest, std::abs(double(v[i])));
    difference = std::max(difference, std::abs(double(u[i]) - double(v[i])));
  }
  return largest > 0 ? difference / largest : NAN;
}

constexpr int kAny = -1;  // what is packed of volumes is the implementations' choice
struct PreparedCase {
  const char* name;
  AnyModule (*make)();
  Shape input;
  int norms, activations, filters;  // folded in; fused; packed
};
void PrintTo(const PreparedCase& c, std::ostream* out) { *out << c.name; }
AnyModule mobilenet(models::PaddingConvention padding) {
  return AnyModule(models::MobileNetUNet({.encoder = {.in = 3, .width = 0.5, .padding = padding}, .out = 3}));
}
const PreparedCase kPreparedCases[] = {
    {"unet",
     [] {
       return models::make_image2d_model("unet", {.in = 3, .out = 4, .channels = {8, 16, 32}});
     },
     {2, 37, 45, 3},
     11,
     11,
     14},
    {"mobilenet_unet", [] { return mobilenet(models::PaddingConvention::torch); }, {1, 64, 64, 3}, 55, 38, 56},
    {"mobilenet_unet_of_tensorflow",
     [] { return mobilenet(models::PaddingConvention::tensorflow); },
     {1, 64, 96, 3},
     55,
     38,
     56},
    {"mobilenet_fpn",
     [] {
       return models::make_image2d_model("mobilenet_fpn", {.in = 3, .out = 3, .channels = {16, 8}});
     },
     {1, 64, 96, 3},
     58,
     41,
     63},
    {"vgg16_unet",
     [] {
       return models::make_image2d_model("vgg16_unet", {.in = 3, .out = 2, .channels = {8, 8, 16, 16}});
     },
     {1, 40, 48, 3},
     0,
     18,
     25},
    {"unet1d",
     [] {
       return AnyModule(models::UNet1d({.in = 2, .out = 3, .channels = {4, 8, 16}, .strides = {1, 2}}));
     },
     {2, 61, 2},
     0,
     0,
     16},
    {"unet3d",
     [] {
       return AnyModule(models::UNet3d({.in = 1, .out = 2, .channels = {4, 8, 8}}));
     },
     {2, 7, 8, 5, 1},
     10,
     10,
     kAny},
    {"unet3d_published",
     [] {
       return AnyModule(models::UNet3d({.in = 1, .out = 2, .channels = {4, 8}, .norm = false}));
     },
     {1, 6, 4, 5, 1},
     0,
     6,
     kAny},
    {"high_resolution3d",
     [] {
       return AnyModule(
           models::HighResolution3d({.out = 2, .channels = 4, .bottlenecks = 2, .modules = 2, .blocks_a_module = 1}));
     },
     {2, 7, 8, 5, 1},
     29,
     0,
     kAny},
    {"conv_ae",
     [] {
       return models::make_autoencoder("conv_ae", {.size = {3, 32, 32}}).module();
     },
     {2, 32, 32, 3},
     0,
     3,
     4},
    {"deep_conv_ae",
     [] {
       return models::make_autoencoder("deep_conv_ae", {.size = {3, 32, 32}}).module();
     },
     {2, 32, 32, 3},
     6,
     6,
     7},
    {"ae",
     [] {
       return models::make_autoencoder("ae", {.size = {1, 8, 8}}).module();
     },
     {3, 8, 8, 1},
     0,
     5,
     6},
};

class PreparedNetwork : public ::testing::TestWithParam<PreparedCase> {
 protected:
  void SetUp() override {
    set_seed(11);
    plain_ = GetParam().make();
    settle_norms(plain_);
    plain_.set_training(false);
    x_ = prepare_inputs(GetParam().input, 1);
  }
  AnyModule plain_;
  Tensor x_;
};

TEST_P(PreparedNetwork, differs_by_rounding_alone) {
  const LogCapture log;
  const NoGrad off;
  const Preparation preparation;
  const AnyModule prepared = prepare(plain_, preparation);
  const Tensor expected = plain_(x_), first = prepared(x_);
  EXPECT_LE(prepare_difference(first, expected), 1e-4);
  EXPECT_FALSE(!(prepare_difference(first, expected) <= 1e-4)) << "NaN";
  const int made = preparation.summary().made;
  EXPECT_EQ(prepared(x_).values(), first.values()) << "what was prepared gives other bits the second time";
  EXPECT_EQ(preparation.summary().made, made) << "a filter was prepared twice";
  const Tensor other = prepare_inputs(GetParam().input, 2);
  EXPECT_FALSE(!(prepare_difference(prepared(other), plain_(other)) <= 1e-4));
  EXPECT_EQ(preparation.summary().norms, GetParam().norms);
  EXPECT_EQ(preparation.summary().activations, GetParam().activations);
  if (GetParam().filters != kAny) {
    EXPECT_EQ(preparation.summary().filters, GetParam().filters);
  }
  EXPECT_EQ(log.lines.size(), 1u);
  EXPECT_TRUE(log.contains("prepared for prediction: " + std::to_string(GetParam().norms) + " norm"));
}

TEST_P(PreparedNetwork, gives_the_same_bits_on_any_number_of_threads) {
  const LogCapture log;
  const NoGrad off;
  const int before = thread_count();
  std::vector<float> expected;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    const std::vector<float> y = prepare(plain_)(x_).values();
    if (threads == 1) expected = y;
    EXPECT_EQ(y, expected) << threads;
  }
  set_thread_count(before);
}

TEST_P(PreparedNetwork, follows_its_weights) {
  const LogCapture log;
  const NoGrad off;
  const Preparation preparation;
  const AnyModule prepared = prepare(plain_, preparation);
  prepared(x_);
  const size_t bytes = preparation.summary().bytes;
  for (NamedTensor t : plain_.tensors())  // every kind of tensor that a filter is made of
    for (int64_t i = 0; i < t.tensor.size(); ++i) t.tensor.mutate()[i] *= 0.75f + 0.5f * float(i % 2);
  EXPECT_FALSE(!(prepare_difference(prepared(x_), plain_(x_)) <= 1e-4));
  EXPECT_EQ(preparation.summary().bytes, bytes) << "what was made of the old weights is kept";
}

TEST_P(PreparedNetwork, is_the_plain_one_where_it_is_trained) {
  const LogCapture log;
  const Preparation preparation;
  const AnyModule prepared = prepare(plain_, preparation);
  EXPECT_EQ(prepared(x_).values(), plain_(x_).values());  // gradients are recorded
  backward(sum(prepared(x_)));
  for (const NamedTensor& p : plain_.parameters()) EXPECT_TRUE(p.tensor.grad()) << p.name;
  {
    const NoGrad off;
    const DryRun dry_run;
    prepared(Tensor::empty(GetParam().input));
  }
  EXPECT_EQ(preparation.summary().made, 0);
  EXPECT_TRUE(log.lines.empty());
}

TEST_P(PreparedNetwork, needs_no_implementation_that_prepares) {
  const LogCapture log;
  const NoGrad off;
  const kernels::PreferImpl reference("conv2d=reference,conv_transpose2d=reference,linear=reference");
  EXPECT_FALSE(!(prepare_difference(prepare(plain_)(x_), plain_(x_)) <= 1e-4));
}

TEST_P(PreparedNetwork, folds_nothing_where_fusion_is_off) {
  const LogCapture log;
  const NoGrad off;
  const Preparation preparation;
  set_fusion(false);
  const Tensor y = prepare(plain_, preparation)(x_), expected = plain_(x_);
  set_fusion(true);
  EXPECT_EQ(y.values(), expected.values());  // packed filters alone change no bit
  EXPECT_EQ(preparation.summary().norms, 0);
}
INSTANTIATE_TEST_SUITE_P(Models, PreparedNetwork, ::testing::ValuesIn(kPreparedCases),
                         [](const auto& c) { return c.param.name; });

TEST(Prepare, large_filters_of_large_images_are_folded_but_not_packed) {
  const LogCapture log;
  const NoGrad off;
  set_seed(3);
  const Preparation preparation;
  const AnyModule plain = models::make_image2d_model("unet", {.in = 1, .out = 2, .channels = {160, 8}});
  settle_norms(plain);
  plain.set_training(false);
  const AnyModule prepared = prepare(plain, preparation);
  const Tensor small = prepare_inputs({1, 24, 24, 1}, 1), large = prepare_inputs({1, 96, 96, 1}, 2);
  EXPECT_FALSE(!(prepare_difference(prepared(large), plain(large)) <= 1e-4));
  const auto of_large = preparation.summary();
  EXPECT_FALSE(!(prepare_difference(prepared(small), plain(small)) <= 1e-4));
  const auto of_both = preparation.summary();
  EXPECT_EQ(of_large.norms, of_both.norms);
  EXPECT_LT(of_large.filters, of_both.filters);
  EXPECT_LT(of_large.bytes, of_both.bytes);
}

TEST(Prepare, networks_without_filters_are_left_alone) {
  const LogCapture log;
  const NoGrad off;
  const Tensor x = prepare_inputs({3, 8, 8, 1}, 1);
  const AnyModule plain = AnyModule(Relu());
  EXPECT_EQ(prepare(plain)(x).values(), plain(x).values());
  EXPECT_TRUE(log.lines.empty());
}

TEST(Prepare, a_linear_layer_is_packed_once_for_any_number_of_rows) {
  const LogCapture log;
  const NoGrad off;
  set_seed(7);
  for (const char* name : {"ae", "vae"}) {
    const Preparation preparation;
    const models::AnyAutoencoder plain = models::make_autoencoder(name, {.size = {1, 8, 8}});
    plain.module().set_training(false);
    const models::AnyAutoencoder prepared = models::prepare(plain, preparation);
    for (const int64_t rows : {1, 3, 15, 16, 40}) {
      const Tensor x = prepare_inputs({rows, 8, 8, 1}, uint32_t(rows));
      EXPECT_FALSE(!(prepare_difference(prepared(x).image, plain(x).image) <= 1e-4)) << name << " " << rows;
      EXPECT_EQ(prepared.module()(x).values(), prepared(x).image.values()) << name << " " << rows;
    }
    EXPECT_EQ(preparation.summary().made, 6) << name;
  }
}

TEST(Prepare, leaves_a_gpu_alone) {
  std::string why;
  if (!gpu_available(&why)) GTEST_SKIP() << why;
  const LogCapture log;
  const NoGrad off;
  set_seed(4);
  const AnyModule plain = models::make_image2d_model("unet", {.in = 1, .out = 2, .channels = {4, 8}});
  plain.set_training(false);
  plain.move_to(Device::cuda);
  const Tensor x = prepare_inputs({1, 8, 8, 1}, 1).to(Device::cuda);
  EXPECT_EQ(prepare(plain)(x).to(Device::cpu).values(), plain(x).to(Device::cpu).values());
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace kern
