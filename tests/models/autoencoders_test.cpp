// The auto-encoders of the anomalies: counted, against PyTorch, drawn codes, scores.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/dry_run.h"
#include "engine/model_file.h"
#include "engine/random.h"
#include "models/pooled_autoencoder.h"
#include "models/table_autoencoder.h"
#include "tests/support/golden.h"
#include "tests/support/source_files.h"

namespace kern::models {
namespace {
using kern::testing::distance;

constexpr ImageSize kSmall{.channels = 3, .height = 8, .width = 12};

TEST(Autoencoders, have_the_published_numbers_of_parameters) {
  const DryRun without_values;
  const std::pair<const char*, int64_t> counts[] = {
      {"ae", 2547264}, {"vae", 2495952}, {"conv_ae", 1495}, {"conv_ae_fc", 3442736}, {"deep_conv_ae", 266499}};
  ASSERT_EQ(std::size(counts), autoencoder_models().size());
  for (const auto& [name, count] : counts)
    EXPECT_EQ(make_autoencoder(name, {}).module().parameter_count(), count) << name;
  EXPECT_EQ(make_autoencoder("vae", {.size = kSmall, .channels = {10, 5}, .code = 2}).module().parameter_count(),
            288 * 10 + 10 + 55 + 2 * 12 + 15 + 60 + 10 * 288 + 288);
}

class AutoencoderGolden : public ::testing::TestWithParam<const char*> {};

// tests/models/make_autoencoders_golden.py
TEST_P(AutoencoderGolden, reconstruction_loss_and_all_gradients_are_pytorchs) {
  const std::string name = GetParam();
  AnyAutoencoder net;
  if (name == "ae") net = AnyAutoencoder(DenseAutoencoder({.size = kSmall, .hidden = {7, 5}, .code = 3}));
  if (name == "vae") net = AnyAutoencoder(Vae({.size = kSmall, .hidden = {7}, .back = {5, 7}, .code = 3}));
  if (name == "conv_ae") net = AnyAutoencoder(PooledAutoencoder({.in = 3, .channels = {5, 4}}));
  if (name == "conv_ae_fc") net = AnyAutoencoder(ConvVae({.size = kSmall, .channels = 2, .hidden = 6, .code = 3}));
  const TensorFile golden = load_tensors(testing::source_file("tests/models/goldens/" + name + ".safetensors"));
  std::vector<FileTensor> targets;
  for (const NamedTensor& t : net.module().tensors()) targets.push_back({t.name, t.tensor});
  load_into(targets, golden, "weight.");
  net.module().set_training(false);
  Tensor x = golden.find("x")->clone();
  x.require_grad();
  const Reconstruction r = net(x);
  EXPECT_LE(distance(r.image, *golden.find("image")), 1e-5);
  const Tensor loss = reconstruction_loss(r, x);
  EXPECT_NEAR(loss.item(), golden.find("loss")->item(), 1e-4);
  const std::vector<double> scores = reconstruction_scores(r, x);
  EXPECT_NEAR((scores[0] + scores[1]) / 2, golden.find("loss")->item(), 1e-4);
  backward(loss);
  EXPECT_LE(distance(x.grad(), *golden.find("dx")), 1e-4);
  for (const NamedTensor& p : net.module().parameters()) {
    const Tensor* want = golden.find("grad." + p.name);
    ASSERT_EQ(bool(p.tensor.grad()), want != nullptr) << p.name;
    if (!want) continue;
    EXPECT_LE(distance(p.tensor.grad(), *want), 1e-4) << p.name;
  }
}
INSTANTIATE_TEST_SUITE_P(Files, AutoencoderGolden, ::testing::Values("ae", "vae", "conv_ae", "conv_ae_fc"),
                         [](const auto& i) { return std::string(i.param); });

TEST(Autoencoders, every_parameter_gets_a_gradient_in_training) {
  for (const AutoencoderModel& m : autoencoder_models()) {
    set_seed(2);
    const ImageSize size{.channels = 2, .height = 8, .width = 16};
    const AnyAutoencoder net = make_autoencoder(m.name, {.size = size, .channels = {4, 6}});
    const Tensor x = Tensor::full({2, 8, 16, 2}, 0.3f);
    const Reconstruction r = net(x);
    EXPECT_EQ(r.image.shape(), x.shape()) << m.name;
    backward(reconstruction_loss(r, x));
    for (const NamedTensor& p : net.module().parameters()) EXPECT_TRUE(p.tensor.grad()) << m.name << ' ' << p.name;
  }
}

TEST(Autoencoders, codes_are_drawn_in_training_alone_and_repeat_with_the_seed) {
  set_seed(3);
  const AnyAutoencoder net(Vae({.size = kSmall, .hidden = {7}, .back = {5}, .code = 3}));
  const Tensor x = Tensor::full({2, 8, 12, 3}, 0.5f);
  auto seeded = [&](std::optional<bool> draws = {}) {
    default_generator().set(11, 4);
    return net(x, draws).image.values();
  };
  const auto drawn = seeded();
  EXPECT_EQ(seeded(), drawn);
  EXPECT_NE(net(x).image.values(), drawn) << "a second call draws anew";
  net.module().set_training(false);
  const auto still = seeded();
  EXPECT_NE(still, drawn);
  EXPECT_EQ(net(x).image.values(), still);
  EXPECT_EQ(seeded(true), drawn) << "drawing at test time, where it is asked for";
}

TEST(Autoencoders, a_drawn_code_is_mean_plus_noise_times_sigma) {
  for (const Spread kind : {Spread::log_sigma, Spread::log_variance}) {
    set_seed(5);
    Tensor mean = Tensor::full({400, 50}, 2), spread = Tensor::full({400, 50}, -1);
    mean.require_grad(), spread.require_grad();
    const Tensor z = draw_code(mean, spread, kind);
    const double k = kind == Spread::log_sigma ? 1 : 0.5, sigma = std::exp(-k);
    double sum = 0, squares = 0;
    for (const float v : z.values()) sum += v - 2, squares += (v - 2) * (v - 2);
    EXPECT_NEAR(sum / 20000, 0, 0.01);
    EXPECT_NEAR(squares / 20000, sigma * sigma, 0.02 * sigma * sigma);
    backward(z, Tensor::full(z.shape(), 1));
    const auto values = z.values(), slope = spread.grad().values();
    for (size_t i = 0; i < 100; ++i) ASSERT_NEAR(slope[i], k * (values[i] - 2), 1e-5);
    EXPECT_EQ(mean.grad().values()[7], 1);
  }
}

TEST(Autoencoders, scores_and_maps_by_hand) {
  const float x[] = {0, 1, 0.5f, 0.5f}, y[] = {0.5f, 1, 0.5f, 1};
  const Tensor truth = Tensor::from({2, 1, 1, 2}, x), made = Tensor::from({2, 1, 1, 2}, y);
  const float mean[] = {0, 1}, spread[] = {0, 0};
  const Reconstruction r{.image = made,
                         .mean = Tensor::from({2, 1}, mean),
                         .spread = Tensor::from({2, 1}, spread),
                         .kind = Spread::log_sigma,
                         .divergence = true};
  EXPECT_EQ(reconstruction_scores(r, truth), (std::vector<double>{0.25, 0.25 + 0.5}));
  EXPECT_NEAR(reconstruction_loss(r, truth).item(), 0.5, 1e-6);
  EXPECT_EQ(error_map(made, truth).values(), (std::vector<float>{0.25f, 0.25f}));
}

TEST(Autoencoders, say_what_they_take) {
  const AnyAutoencoder net = make_autoencoder("conv_ae_fc", {.size = kSmall});
  EXPECT_THROW(net(Tensor::zeros({1, 28, 28, 3})), Error);
  EXPECT_THROW(make_autoencoder("conv_ae", {})(Tensor::zeros({1, 6, 8, 3})), Error);
  EXPECT_THROW(make_autoencoder("conv_ae", {.code = 3}), Error);
  EXPECT_THROW(make_autoencoder("ae", {.size = {.channels = 0}}), Error);
  EXPECT_THROW(make_autoencoder("vae", {.channels = {0}}), Error);
  EXPECT_THROW(make_autoencoder("conv_ae_fc", {.channels = {3}}), Error);
  EXPECT_THROW(make_autoencoder("gan", {}), Error);
  EXPECT_THROW(reconstruction_scores({.image = Tensor::zeros({1, 2, 2, 1})}, Tensor::zeros({1, 2, 1, 1})), Error);
}

}  // namespace
}  // namespace kern::models
