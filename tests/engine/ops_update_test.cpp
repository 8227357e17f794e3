// The ops that write to parameters in place.
#include "engine/ops/adam.h"
#include "engine/ops/ema_update.h"
#include "engine/ops/sgd.h"
#include "engine/ops/sum_squares.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;

TEST(Update, steps_move_the_parameter_and_tell_its_version) {
  Tensor p = Tensor::from({2, 2}, Floats{1, 2, 3, 4}), m = Tensor::zeros({2, 2}), v = Tensor::zeros({2, 2}), none;
  const Tensor g = Tensor::full({2, 2}, 2);
  const float lr = 0.5f, scale = 0.25f;
  const uint64_t before = p.version();
  sgd(p, g, none, {}, &lr);
  EXPECT_EQ(p.values(), (Floats{0, 1, 2, 3}));
  EXPECT_GT(p.version(), before);
  sgd(p, g, m, {.momentum = 0.5}, &lr, &scale);
  EXPECT_EQ(p.values(), (Floats{-0.25f, 0.75f, 1.75f, 2.75f}));
  m.fill(0);
  const int64_t step = 1;
  adam(p, g, m, v, {}, &step, &lr);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(p.values()[i], -0.75f + float(i), 1e-6f);
  Tensor average = Tensor::full({2, 2}, 4);
  ema_update(average, Tensor::full({2, 2}, 8), 0.75);
  EXPECT_EQ(average.values(), Floats(4, 5));
}

TEST(Update, norms_add_up_over_arrays) {
  double total = 0;
  add_sum_squares(Tensor::from({2}, Floats{3, 0}), &total);
  add_sum_squares(Tensor::from({1, 1}, Floats{4}), &total);
  EXPECT_EQ(total, 25);
}

TEST(Update, errors_are_sentences) {
  Tensor p = Tensor::zeros({2, 3}), m = Tensor::zeros({2, 3}), v = Tensor::zeros({3}), none;
  const float lr = 1;
  const int64_t step = 1;
  EXPECT_EQ(error_of([&] { adam(p, p, m, v, {}, &step, &lr); }),
            "adam: the second moment [3] must be a dense array of the parameter's shape [2,3] on its device");
  EXPECT_EQ(error_of([&] { sgd(p, none, none, {}, &lr); }),
            "sgd: the gradient is missing for a parameter of shape [2,3]");
  EXPECT_EQ(error_of([&] { sgd(p, p, none, {.momentum = 0.9}, &lr); }),
            "sgd: the momentum is missing for a parameter of shape [2,3]");
  EXPECT_EQ(error_of([&] { sgd(p, p, none, {.nesterov = true}, &lr); }),
            "sgd: Nesterov's look-ahead needs a momentum above 0");
  EXPECT_EQ(error_of([&] { ema_update(p, m, 1.5); }), "ema_update: the decay must be from 0 to 1, got 1.5");
}

}  // namespace
}  // namespace kern
