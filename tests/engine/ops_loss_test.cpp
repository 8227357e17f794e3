// Losses and the reductions to one value, through the tape.
#include "engine/ops/add.h"
#include "engine/ops/balanced_cross_entropy.h"
#include "engine/ops/bce_with_logits.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dice.h"
#include "engine/ops/focal.h"
#include "engine/ops/huber.h"
#include "engine/ops/kl_normal.h"
#include "engine/ops/l1.h"
#include "engine/ops/mse.h"
#include "engine/ops/ssim.h"
#include "engine/ops/sum.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

TEST(Sum, values_and_gradients_of_sum_and_mean) {
  const Tensor x = Tensor::from({2, 3}, Floats{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(sum(x).item(), 21);
  EXPECT_EQ(mean(x).item(), 3.5f);
  EXPECT_EQ(sum(x.channel_slice(1, 3)).item(), 16);
  EXPECT_EQ(sum(Tensor::zeros({0, 3})).item(), 0);
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) { return sum(v[0]); });
  check_gradients({random_tensor({2, 3, 4}, 1)}, [](const auto& v) { return add(mean(v[0]), sum(v[0])); });
  EXPECT_EQ(error_of([] { mean(Tensor::zeros({0, 3})); }), "mean: [0,3] has no values to average");
}

TEST(CrossEntropy, gradients_with_weights_ignored_rows_and_pitched_logits) {
  const Tensor target = Tensor::from({2, 3}, Ints{0, 3, -1, 2, 2, 1}),
               weight = Tensor::from({4}, Floats{0.5f, 2, 1, 0.25f});
  check_gradients({random_tensor({2, 3, 4}, 1)}, [&](const auto& v) { return cross_entropy(v[0], target, weight); });
  check_gradients({random_tensor({2, 3, 4}, 2)}, [&](const auto& v) { return cross_entropy(v[0], target); });
  check_gradients({random_tensor({2, 3, 4}, 2)},
                  [&](const auto& v) { return cross_entropy(v[0], target, weight, {.smoothing = 0.2f}); });
  check_gradients({random_tensor({2, 3, 4}, 3)}, [&](const auto& v) {
    const auto slices = Tensor::empty_channel_slices({2, 3}, std::vector<int64_t>{4, 4});
    const Tensor logits = add(v[0], Tensor::zeros({4}), slices[1]);
    return cross_entropy(logits, target, weight);
  });
}

// A class weight of one scales nothing; equal logits give log K.
TEST(CrossEntropy, of_equal_logits_is_log_k) {
  const Tensor target = Tensor::from({4}, Ints{0, 1, 4, -1});
  EXPECT_NEAR(cross_entropy(Tensor::full({4, 5}, 3), target).item(), std::log(5.0f), 1e-6f);
  EXPECT_NEAR(cross_entropy(Tensor::full({4, 5}, 3), target, Tensor::full({5}, 7)).item(), std::log(5.0f), 1e-6f);
}

TEST(CrossEntropy, errors_are_sentences) {
  const Tensor x = Tensor::zeros({2, 3});
  EXPECT_EQ(error_of([&] {
              cross_entropy(x, Tensor::from({3}, Ints{0, 0, 0}));
            }),
            "cross_entropy: logits [2,3] and targets [3] do not fit; expected [N,...,K] and [N,...]");
  EXPECT_EQ(error_of([&] { cross_entropy(x, Tensor::zeros({2})); }),
            "cross_entropy: targets must be class numbers of type i32, got f32");
  EXPECT_EQ(error_of([&] {
              cross_entropy(x, Tensor::from({2}, Ints{0, 0}), Tensor::zeros({2}));
            }),
            "cross_entropy: class weights must be [3], got [2]");
  EXPECT_EQ(error_of([&] {
              cross_entropy(x, Tensor::from({2}, Ints{0, 0}), {}, {.smoothing = 2});
            }),
            "cross_entropy: smoothing must be 0 to 1, got 2");
  EXPECT_EQ(error_of([&] {
              cross_entropy(x, Tensor::from({2}, Ints{0, 3}));
            }),
            "cross_entropy: the target of row 1 is 3; with 3 classes it must be 0 to 2, or -1 for a row to ignore. "
            "Map the labels to class numbers first");
}

// A volume of one fault sample in four, and one that nobody looked at: each class weighs as the other is frequent.
TEST(BalancedCrossEntropy, weighs_a_class_as_the_others_are_frequent) {
  const Tensor target = Tensor::from({1, 1, 1, 5}, Ints{1, 0, -1, 0, 0}),
               x = Tensor::from({1, 1, 1, 5, 1}, Floats{0.5f, -1, 9, 2, 0});
  const auto softplus = [](double v) { return std::log1p(std::exp(v)); };
  const double zeros = softplus(-1) + softplus(2) + softplus(0), ones = softplus(-0.5);
  EXPECT_NEAR(balanced_cross_entropy(x, target).item(), (0.75 * ones + 0.25 * zeros) / 4, 1e-6);
  Floats two;  // the same by two logits
  for (const float v : x.values()) two.push_back(0), two.push_back(v);
  EXPECT_NEAR(balanced_cross_entropy(Tensor::from({1, 1, 1, 5, 2}, two), target).item(),
              balanced_cross_entropy(x, target).item(), 1e-6);
  // Of three classes with shares 1/2, 1/4, 1/4 and equal logits: log 3 times the mean weight.
  const Tensor three = Tensor::from({4}, Ints{0, 0, 1, 2});
  EXPECT_NEAR(balanced_cross_entropy(Tensor::zeros({4, 3}), three).item(),
              std::log(3.0) * (0.5 * 0.5 + 2 * 0.25 * 0.75), 1e-6);
  EXPECT_EQ(balanced_cross_entropy(x, Tensor::from({1, 1, 1, 5}, Ints{0, 0, -1, 0, 0})).item(), 0);
  EXPECT_EQ(balanced_cross_entropy(x, Tensor::from({1, 1, 1, 5}, Ints(5, -1))).item(), 0);
  check_gradients({pitched(random_tensor({1, 1, 1, 5, 1}, 1))},
                  [&](const auto& v) { return balanced_cross_entropy(v[0], target); });
  check_gradients({random_tensor({4, 3}, 2)}, [&](const auto& v) { return balanced_cross_entropy(v[0], three); });
  EXPECT_EQ(error_of([&] {
              balanced_cross_entropy(Tensor::zeros({2, 3}), three);
            }),
            "balanced_cross_entropy: logits [2,3] and targets [4] do not fit; expected [N,...,K] and [N,...]");
  EXPECT_NE(error_of([&] {
              balanced_cross_entropy(Tensor::zeros({4, 1}), three);
            }).find("the target of row 3 is 2"),
            std::string::npos);
}

// What nobody looked at takes no part, in volumes too: the loss of the rest, and no gradient there.
TEST(Losses, leave_out_what_has_no_label) {
  const Tensor target = Tensor::from({1, 2, 1, 3}, Ints{1, 0, -1, -1, 0, 1}),
               rest = Tensor::from({4}, Ints{1, 0, 0, 1});
  for (const int64_t k : {1, 2}) {
    const std::function<Tensor(const Tensor&, const Tensor&)> losses[] = {
        [](const Tensor& x, const Tensor& t) { return dice(x, t); },
        [](const Tensor& x, const Tensor& t) { return tversky(x, t, {.alpha = 0.3f, .beta = 0.7f}); },
        [](const Tensor& x, const Tensor& t) { return focal(x, t); },
        [](const Tensor& x, const Tensor& t) { return focal(x, t, {.gamma = 0}); },
        [](const Tensor& x, const Tensor& t) { return balanced_cross_entropy(x, t); },
        [k](const Tensor& x, const Tensor& t) { return k > 1 ? cross_entropy(x, t) : focal(x, t); }};
    for (const auto& loss : losses) {
      Tensor x = random_tensor({1, 2, 1, 3, k}, 1);
      const Floats v = x.values();
      Floats kept;
      for (int64_t i = 0; i < 6; ++i)
        for (int64_t c = 0; c < k && i != 2 && i != 3; ++c) kept.push_back(v[size_t(i * k + c)]);
      x.require_grad();
      const Tensor all = loss(x, target);
      EXPECT_NEAR(all.item(), loss(Tensor::from({4, k}, kept), rest).item(), 1e-6);
      backward(all);
      const Floats d = x.grad().values();
      for (int64_t i = 2 * k; i < 4 * k; ++i) EXPECT_EQ(d[size_t(i)], 0);
      EXPECT_NE(d[0], 0);
    }
  }
}

TEST(Mse, gradients_of_both_inputs_pitched_and_not) {
  EXPECT_EQ(mse(Tensor::from({2}, Floats{1, 2}), Tensor::from({2}, Floats{2, 4})).item(), 2.5f);
  check_gradients({random_tensor({2, 3, 4}, 1), random_tensor({2, 3, 4}, 2)},
                  [](const auto& v) { return mse(v[0], v[1]); });
  check_gradients({random_tensor({3, 2}, 1), random_tensor({3, 2}, 2)}, [](const auto& v) {
    const auto slices = Tensor::empty_channel_slices({3}, std::vector<int64_t>{2, 1});
    return mse(add(v[0], Tensor::zeros({2}), slices[0]), v[1]);
  });
  EXPECT_EQ(error_of([] { mse(Tensor::zeros({2}), Tensor::zeros({3})); }), "mse: shapes [2] and [3] must be equal");
}

TEST(BceWithLogits, gradients_with_weights_masks_and_pitches) {
  const Tensor t = Tensor::from({3, 2}, Floats{0, 1, 1, 0, 0.25f, 1}),
               w = Tensor::from({3, 2}, Floats{1, 0, 2, 1, 0.5f, 1});
  check_gradients({random_tensor({3, 2}, 1)}, [&](const auto& v) { return bce_with_logits(v[0], t); });
  check_gradients({random_tensor({3, 2}, 1)},
                  [&](const auto& v) { return bce_with_logits(v[0], t, w, {.pos_weight = 4}); });
  check_gradients({random_tensor({3, 2}, 1)}, [&](const auto& v) {
    const auto slices = Tensor::empty_channel_slices({3}, std::vector<int64_t>{1, 2});
    return bce_with_logits(add(v[0], Tensor::zeros({2}), slices[1]), t, w, {.by_weight = true});
  });
  EXPECT_EQ(error_of([&] { bce_with_logits(Tensor::zeros({2}), t); }),
            "bce_with_logits: logits [2] and targets [3,2] must have one shape");
  EXPECT_EQ(error_of([&] { bce_with_logits(t, t, Tensor::zeros({2})); }),
            "bce_with_logits: weights [2] must have the logits' shape [3,2]");
}

TEST(PairLosses, gradients_of_both_inputs) {
  // Further apart than the step of the difference: nothing crosses a kink.
  const Tensor x = random_tensor({2, 3, 4}, 1), t = random_tensor({2, 3, 4}, 2, 1.1f, 2);
  check_gradients({x.clone(), t.clone()}, [](const auto& v) { return l1(v[0], v[1]); });
  check_gradients({x.clone(), t.clone()}, [](const auto& v) { return huber(v[0], v[1], 5); });
  check_gradients({pitched(x), t.clone()}, [](const auto& v) { return huber(v[0], v[1], 0.05f); });
  EXPECT_EQ(error_of([] { l1(Tensor::zeros({2}), Tensor::zeros({3})); }), "l1: shapes [2] and [3] must be equal");
  EXPECT_EQ(error_of([] { l1(Tensor::zeros({0, 2}), Tensor::zeros({0, 2})); }), "l1: [0,2] has no values to average");
  EXPECT_EQ(error_of([&] { huber(x, t, 0); }), "huber: delta must be positive, got 0");
}

TEST(KlNormal, gradients_and_divisors) {
  for (Spread spread : {Spread::log_variance, Spread::log_sigma})
    check_gradients({random_tensor({3, 4}, 1), random_tensor({3, 4}, 2)},
                    [&](const auto& v) { return kl_normal(v[0], v[1], {.spread = spread}); });
  check_gradients({pitched(random_tensor({2, 3, 4}, 1)), random_tensor({2, 3, 4}, 2)},
                  [&](const auto& v) { return kl_normal(v[0], v[1], {.average = false}); });
  const Tensor mean = Tensor::full({4, 3, 2}, 1), zero = Tensor::zeros({4, 3, 2});
  EXPECT_EQ(kl_normal(mean, zero).item(), 3);
  EXPECT_EQ(kl_normal(mean, zero, {.average = false}).item(), 12);
  EXPECT_EQ(error_of([&] { kl_normal(mean, Tensor::zeros({2})); }),
            "kl_normal: mean [4,3,2] and spread [2] must have one shape");
}

TEST(Dice, values_by_hand_and_gradients) {
  // Equal logits of two classes: p = 1/2 everywhere. Class 0: (2 * 1 + 1) / (2 + 3), class 1: (2 / 2 + 1) / (2 + 2).
  const Tensor target = Tensor::from({2, 3}, Ints{0, 1, -1, 0, -1, -1});
  EXPECT_NEAR(dice(Tensor::zeros({2, 3, 2}), target).item(), 1 - (3 / 4.5f + 2 / 3.5f) / 2, 1e-6f);
  const Tensor classes = Tensor::from({2, 3}, Ints{0, 3, -1, 2, 2, 1}),
               ones = Tensor::from({2, 3}, Ints{0, 1, -1, 1, 0, 1});
  for (bool per_sample : {false, true}) {
    check_gradients({random_tensor({2, 3, 4}, 1)},
                    [&](const auto& v) { return dice(v[0], classes, {.per_sample = per_sample}); });
    check_gradients({pitched(random_tensor({2, 3, 1}, 1))},
                    [&](const auto& v) { return dice(v[0], ones, {.smooth = 0.5f, .per_sample = per_sample}); });
    check_gradients({random_tensor({2, 3, 4}, 3)}, [&](const auto& v) {
      return tversky(v[0], classes, {.alpha = 0.3f, .beta = 0.7f, .per_sample = per_sample});
    });
  }
  EXPECT_EQ(error_of([&] {
              dice(Tensor::zeros({2, 3}), classes);
            }),
            "tversky: logits [2,3] and targets [2,3] do not fit; expected [N,...,K] and [N,...]");
  EXPECT_EQ(error_of([&] {
              tversky(Tensor::zeros({2, 3, 4}), classes, {.alpha = -1});
            }),
            "tversky: alpha, beta and smooth must not be negative, got -1, 0.5, 1");
  EXPECT_EQ(error_of([&] {
              dice(Tensor::zeros({2, 3, 1}), classes);
            }).substr(0, 66),
            "tversky: the target of row 1 is 3; with 2 classes it must be 0 to ");
}

TEST(Focal, gradients_and_errors) {
  const Tensor classes = Tensor::from({2, 3}, Ints{0, 3, -1, 2, 2, 1}),
               ones = Tensor::from({2, 3}, Ints{0, 1, -1, 1, 0, 1}),
               weight = Tensor::from({4}, Floats{0.5f, 2, 1, 0.25f});
  check_gradients({random_tensor({2, 3, 4}, 1)}, [&](const auto& v) { return focal(v[0], classes); });
  check_gradients({random_tensor({2, 3, 4}, 1)},
                  [&](const auto& v) { return focal(v[0], classes, {.gamma = 0.5f}, weight); });
  check_gradients({pitched(random_tensor({2, 3, 1}, 1))},
                  [&](const auto& v) { return focal(v[0], ones, {.gamma = 3, .alpha = 0.25f}); });
  // Without its two parameters it is cross entropy.
  const Tensor x = random_tensor({2, 3, 4}, 4);
  EXPECT_NEAR(focal(x, classes, {.gamma = 0}).item(), cross_entropy(x, classes).item(), 1e-6f);
  EXPECT_EQ(error_of([&] { focal(x, classes, {.gamma = -1}); }), "focal: gamma must not be negative, got -1");
  EXPECT_EQ(
      error_of([&] { focal(x, classes, {.alpha = 0.25f}); }),
      "focal: alpha 0.25 does not fit 4 logits; with one it must be at most 1, with several give the weights of the "
      "classes instead");
  EXPECT_EQ(error_of([&] {
              focal(Tensor::zeros({2, 3, 1}), ones, {}, weight);
            }),
            "focal: with one logit there are no class weights; give alpha");
}

TEST(Ssim, gradients_and_errors) {
  check_gradients({random_tensor({1, 12, 11, 2}, 1, 0, 1), random_tensor({1, 12, 11, 2}, 2, 0, 1)},
                  [](const auto& v) { return ssim(v[0], v[1]); });
  check_gradients({pitched(random_tensor({2, 11, 13, 1}, 1, 0, 255)), random_tensor({2, 11, 13, 1}, 2, 0, 255)},
                  [](const auto& v) { return ssim(v[0], v[1], 255); }, {.step = 1});
  const Tensor x = random_tensor({1, 16, 16, 3}, 3);
  EXPECT_NEAR(ssim(x, x).item(), 0, 1e-6f);
  EXPECT_EQ(error_of([&] {
              ssim(x, Tensor::zeros({1, 16, 16, 2}));
            }),
            "ssim: images must be two of one shape [N,H,W,C], got [1,16,16,3] and [1,16,16,2]");
  EXPECT_EQ(error_of([] {
              ssim(Tensor::zeros({1, 10, 16, 1}), Tensor::zeros({1, 10, 16, 1}));
            }),
            "ssim: images of 10 x 16 are smaller than the window of 11 x 11");
  EXPECT_EQ(error_of([&] { ssim(x, x, 0); }), "ssim: the range of the values must be positive, got 0");
}

}  // namespace
}  // namespace kern
