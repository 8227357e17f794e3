// An image whose sides are no multiple of what a network halves is no image with an edge at its end: what a network
// learnt to see as a break it does not see where the data end.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/cross_entropy.h"
#include "engine/random.h"
#include "kernels/common/error.h"
#include "layers/module.h"
#include "models/unet2d.h"
#include "training/optimiser.h"

namespace kern {
namespace {

// Layers of a random period, which stand higher from column `fault` on: [h][w], and 1 beside the break.
struct Section {
  std::vector<float> x;
  std::vector<int32_t> truth;
};
Section section(int64_t h, int64_t w, int64_t fault, RandomSequence& random) {
  Section s;
  const double period = 5 + 4 * random.uniform(), phase = 6 * random.uniform(), shift = period / 2;
  for (int64_t i = 0; i < h; ++i)
    for (int64_t j = 0; j < w; ++j) {
      s.x.push_back(float(std::sin(6.2831853 * (double(i) + (j >= fault ? shift : 0)) / period + phase)));
      s.truth.push_back(std::abs(j - fault) <= 1);
    }
  return s;
}

TEST(Borders, no_break_is_seen_where_the_data_end) {
  set_seed(1);
  constexpr int64_t kSide = 32, kBatch = 4;
  models::UNet2d net({.in = 1, .out = 2, .channels = {6, 8, 8, 8}});
  const AnyModule module(net);
  training::Optimiser optimiser({{.parameters = module.parameters()}}, AdamOptions{}, 1e-2);
  RandomSequence random(3, RandomStream::synthesize);
  module.set_training(true);
  for (int step = 0; step < 120; ++step) {
    std::vector<float> x;
    std::vector<int32_t> truth;
    for (int64_t n = 0; n < kBatch; ++n) {
      const Section s = section(kSide, kSide, 4 + int64_t(random.below(24)), random);
      x.insert(x.end(), s.x.begin(), s.x.end());
      truth.insert(truth.end(), s.truth.begin(), s.truth.end());
    }
    backward(cross_entropy(module(Tensor::from({kBatch, kSide, kSide, 1}, x)),
                           Tensor::from({kBatch, kSide, kSide}, std::span<const int32_t>(truth))));
    optimiser.step();
  }
  module.set_training(false);
  const NoGrad off;
  // Mean probability of a break in a column, of sections of so many columns and rows.
  const auto probability = [&](int64_t side, int64_t fault, int64_t column, bool of_row) {
    const Section s = section(side, side, fault, random);
    const std::vector<float> z = module(Tensor::from({1, side, side, 1}, s.x)).values();
    double sum = 0;
    for (int64_t i = 0; i < side; ++i) {
      const int64_t at = of_row ? column * side + i : i * side + column;
      sum += 1 / (1 + std::exp(double(z[size_t(2 * at)]) - double(z[size_t(2 * at + 1)])));
    }
    return sum / double(side);
  };
  for (int64_t side = 40; side < 48; ++side) {
    SCOPED_TRACE(text("side ", side));
    EXPECT_GT(probability(side, 20, 20, false), 0.6);  // it learnt to see one
    const double within = probability(side, -99, side / 2, false);
    EXPECT_LT(within, 0.05);
    EXPECT_LT(probability(side, -99, side - 1, false), 0.1) << "the last column";
    EXPECT_LT(probability(side, -99, 0, false), 0.1) << "the first column";
    EXPECT_LT(probability(side, -99, side - 1, true), 0.1) << "the last row";
  }
}

}  // namespace
}  // namespace kern
