#include "models/encoder_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/random.h"
#include "layers/module.h"
#include "models/table_autoencoder.h"

namespace kern::models {
namespace {

EncoderFeaturesConfig small(std::vector<int> levels) {
  EncoderFeaturesConfig c{.levels = std::move(levels)};
  c.encoder.width = 0.1;
  return c;
}

TEST(EncoderFeatures, LevelsStandSideBySideAtTheFinest) {
  set_seed(1);
  EncoderFeatures features(small({2, 4}));
  set_training(features, false);
  const NoGrad off;
  RandomSequence random(1, RandomStream::noise);
  std::vector<float> values(2 * 33 * 40 * 3);
  for (float& v : values) v = random.uniform();
  const Tensor x = Tensor::from({2, 33, 40, 3}, values);
  const Tensor y = features(x);
  EXPECT_EQ(y.dim(1), 9);
  EXPECT_EQ(y.dim(2), 10);
  EXPECT_EQ(y.channels(), features.channels());
  // The finest as it is, the coarse ones repeated: of 3 rows, 9 make three each.
  auto only = [&](int level) {
    set_seed(1);
    EncoderFeatures f(small({level}));
    set_training(f, false);
    return f(x);
  };
  const Tensor a = only(2), b = only(4);
  const std::vector<float> all = y.values(), first = a.values(), last = b.values();
  const size_t K = size_t(y.channels()), K1 = size_t(a.channels()), K2 = size_t(b.channels());
  ASSERT_EQ(K, K1 + K2);
  ASSERT_EQ(b.dim(1), 3);
  ASSERT_EQ(b.dim(2), 3);
  for (size_t h = 0; h < 9; ++h)
    for (size_t w = 0; w < 10; ++w) {
      const size_t at = h * 10 + w, from = (h * 3 / 9) * 3 + w * 3 / 10;
      for (size_t k = 0; k < K1; ++k) ASSERT_EQ(all[at * K + k], first[at * K1 + k]);
      for (size_t k = 0; k < K2; ++k) ASSERT_EQ(all[at * K + K1 + k], last[from * K2 + k]);
    }
}

// The ends are what the taps are expanded from: of the taps' sizes, and the last is the last tap itself.
TEST(EncoderFeatures, PooledAreTheMeansOfTheEnds) {
  set_seed(1);
  const EncoderFeatures features(small({2}));
  PooledFeatures pooled(features.encoder());
  set_training(pooled, false);
  const NoGrad off;
  MobileNetV2 encoder = features.encoder();
  set_training(encoder, false);
  RandomSequence random(1, RandomStream::noise);
  std::vector<float> values(2 * 64 * 96 * 3);
  for (float& v : values) v = random.uniform();
  const Tensor x = Tensor::from({2, 64, 96, 3}, values);
  const std::vector<Tensor> ends = encoder.ends(x), taps = encoder.encode(x);
  ASSERT_EQ(ends.size(), taps.size());
  EXPECT_EQ(ends.back().values(), taps.back().values());
  const Tensor y = pooled(x);
  const std::vector<float> got = y.values();
  size_t at = 0;
  for (size_t l = 0; l < ends.size(); ++l) {
    EXPECT_EQ(ends[l].dim(1), taps[l].dim(1));
    EXPECT_EQ(ends[l].dim(2), taps[l].dim(2));
    const auto d = size_t(ends[l].channels()), positions = size_t(ends[l].dim(1) * ends[l].dim(2));
    ASSERT_EQ(d, size_t(encoder.end_channels()[l]));
    const std::vector<float> end = ends[l].values();
    for (size_t n = 0; n < 2; ++n)
      for (size_t k = 0; k < d; ++k) {
        double sum = 0;
        for (size_t p = 0; p < positions; ++p) sum += double(end[(n * positions + p) * d + k]);
        EXPECT_NEAR(got[n * size_t(y.channels()) + at + k], sum / double(positions), 1e-5);
      }
    at += d;
  }
  EXPECT_EQ(int64_t(at), y.channels());
}

// Of the ends, each position the mean of those of its square that there are.
TEST(EncoderFeatures, AveragedOverNeighbours) {
  EncoderFeaturesConfig c = small({3, 4});
  c.average = 3;
  set_seed(1);
  EncoderFeatures features(c);
  set_training(features, false);
  const NoGrad off;
  RandomSequence random(1, RandomStream::noise);
  std::vector<float> values(64 * 96 * 3);
  for (float& v : values) v = random.uniform();
  const Tensor x = Tensor::from({1, 64, 96, 3}, values);
  MobileNetV2 encoder = features.encoder();
  const Tensor end = encoder.ends(x)[2], y = features(x);
  const int64_t H = end.dim(1), W = end.dim(2), C = end.channels(), K = y.channels();
  EXPECT_EQ(K, features.channels());
  EXPECT_EQ(K, encoder.end_channels()[2] + encoder.end_channels()[3]);
  ASSERT_EQ(y.dim(1), H);
  ASSERT_EQ(y.dim(2), W);
  const std::vector<float> from = end.values(), got = y.values();
  for (int64_t h = 0; h < H; ++h)
    for (int64_t w = 0; w < W; ++w)
      for (int64_t k = 0; k < C; ++k) {
        double sum = 0;
        int there = 0;
        for (int64_t i = std::max<int64_t>(h - 1, 0); i <= std::min(h + 1, H - 1); ++i)
          for (int64_t j = std::max<int64_t>(w - 1, 0); j <= std::min(w + 1, W - 1); ++j, ++there)
            sum += double(from[size_t((i * W + j) * C + k)]);
        const double off_by = std::abs(double(got[size_t((h * W + w) * K + k)]) - sum / there);
        ASSERT_TRUE(off_by <= 1e-5) << h << ' ' << w << ' ' << k << ": " << off_by;
      }
}

TEST(EncoderFeatures, RefusesSquaresOfNoMiddle) {
  for (const int average : {2, -1}) {
    EncoderFeaturesConfig c = small({3});
    c.average = average;
    EXPECT_THROW(EncoderFeatures{c}, Error) << average;
  }
}

TEST(EncoderFeatures, RefusesLevelsThereAreNot) {
  EXPECT_THROW(EncoderFeatures(small({})), Error);
  EXPECT_THROW(EncoderFeatures(small({6})), Error);
  EXPECT_THROW(EncoderFeatures(small({3, 2})), Error);
}

TEST(Reconstruction, EveryMeasureScoresAImageAsTheLossOfItAlone) {
  RandomSequence random(3, RandomStream::noise);
  auto image = [&](int64_t n) {
    std::vector<float> v(size_t(n * 12 * 13 * 2));
    for (float& x : v) x = random.uniform();
    return Tensor::from({n, 12, 13, 2}, v);
  };
  const Tensor x = image(1), other = image(1);
  const Reconstruction r{.image = other};
  for (const Measure m : {Measure::sse, Measure::mse, Measure::l1, Measure::ssim}) {
    const double loss = double(reconstruction_loss(r, x, m).item());
    EXPECT_NEAR(reconstruction_scores(r, x, m).front(), loss, 1e-4 * std::abs(loss));
  }
  EXPECT_GT(reconstruction_scores(r, x, Measure::ssim).front(), 0.1);
  EXPECT_THROW(make_autoencoder("ae", {.channels = {8}, .spread = Spread::log_sigma}), Error);
  const Tensor small = Tensor::zeros({1, 28, 28, 3});
  for (const Spread s : {Spread::log_sigma, Spread::log_variance}) {
    const auto vae = make_autoencoder("vae", {.channels = {8}, .code = 2, .spread = s, .divergence = false});
    const Reconstruction out = vae(small);
    EXPECT_EQ(out.kind, s);
    EXPECT_FALSE(out.divergence);
  }
}

}  // namespace
}  // namespace kern::models
