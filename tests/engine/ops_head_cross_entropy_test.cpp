// The fused head against the ops it is made of.
#include "engine/ops/conv2d.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/head_cross_entropy.h"
#include "engine/ops/unary.h"
#include "tests/support/gradient_check.h"

namespace kern {
namespace {
using namespace kern::testing;
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

const Tensor target() { return Tensor::from({2, 3, 1}, Ints{0, 3, -1, 2, 2, 1}); }

TEST(HeadCrossEntropy, gradients) {
  const Tensor weight = Tensor::from({4}, Floats{0.5f, 2, 1, 0.25f});
  auto inputs = [](bool bias) {
    std::vector<Tensor> all{random_tensor({2, 3, 1, 5}, 1), random_tensor({4, 1, 1, 5}, 2)};
    if (bias) all.push_back(random_tensor({4}, 3));
    return all;
  };
  check_gradients(inputs(true), [&](const auto& v) { return head_cross_entropy(v[0], v[1], v[2], target(), weight); });
  check_gradients(inputs(true), [&](const auto& v) {
    return head_cross_entropy(v[0], v[1], v[2], target(), {}, {.smoothing = 0.2f});
  });
  check_gradients(inputs(false), [&](const auto& v) { return head_cross_entropy(v[0], v[1], {}, target(), weight); });
}

TEST(HeadCrossEntropy, is_the_convolution_and_the_loss_one_after_the_other) {
  auto gradients = [](bool fused, bool frozen) {
    Tensor x = random_tensor({2, 3, 1, 5}, 1), w = random_tensor({4, 1, 1, 5}, 2), b = random_tensor({4}, 3);
    x.require_grad(), w.require_grad(!frozen), b.require_grad(!frozen);
    const Tensor wide = pitched(x);
    const Tensor loss = fused ? head_cross_entropy(x, w, b, target()) : cross_entropy(conv2d(x, w, b), target());
    EXPECT_NEAR(head_cross_entropy(wide, w, b, target()).item(), loss.item(), 1e-6f);
    backward(affine(loss, 3));
    std::vector<float> all{loss.item()};
    for (const Tensor& t : {x, w, b}) {
      EXPECT_EQ(bool(t.grad()), t.requires_grad());
      if (!t.grad()) continue;
      const Floats g = t.grad().values();
      all.insert(all.end(), g.begin(), g.end());
    }
    return all;
  };
  for (const bool frozen : {false, true}) {
    const Floats a = gradients(true, frozen), b = gradients(false, frozen);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6f) << i;
  }
}

TEST(HeadCrossEntropy, predictions_and_confusion) {
  const Tensor x = Tensor::from({4, 1}, Floats{1, -1, 2, -3}), w = Tensor::from({2, 1}, Floats{1, -1});
  const HeadCrossEntropyOptions o{.prediction = Tensor::empty({4}, {.dtype = DType::i32}),
                                  .confusion = Tensor::empty({2, 2}, {.dtype = DType::i32})};
  head_cross_entropy(x, w, {}, Tensor::from({4}, Ints{0, 0, -1, 1}), {}, o);
  EXPECT_EQ(o.prediction.integers(), (Ints{0, 1, 0, 1}));
  EXPECT_EQ(o.confusion.integers(), (Ints{1, 1, 0, 1}));
}

TEST(HeadCrossEntropy, errors_are_sentences) {
  const Tensor x = Tensor::zeros({2, 3}), w = Tensor::zeros({4, 3}), t = Tensor::from({2}, Ints{0, 1});
  EXPECT_EQ(error_of([&] {
              head_cross_entropy(x, Tensor::zeros({4, 2}), {}, t);
            }),
            "head_cross_entropy: input [2,3] needs a 1x1 filter [K,...,3], got [4,2]");
  EXPECT_EQ(error_of([&] {
              head_cross_entropy(x, Tensor::zeros({4, 3, 3}), {}, t);
            }),
            "head_cross_entropy: input [2,3] needs a 1x1 filter [K,...,3], got [4,3,3]");
  EXPECT_EQ(error_of([&] { head_cross_entropy(x, w, x, t); }), "head_cross_entropy: bias must be [4], got [2,3]");
  EXPECT_EQ(error_of([&] {
              head_cross_entropy(x, w, {}, Tensor::from({3}, Ints{0, 0, 0}));
            }),
            "head_cross_entropy: input [2,3] and targets [3] do not fit; expected [N,...,C] and [N,...]");
  EXPECT_EQ(error_of([&] { head_cross_entropy(x, w, {}, Tensor::zeros({2})); }),
            "head_cross_entropy: targets must be class numbers of type i32, got f32");
  EXPECT_EQ(error_of([&] {
              head_cross_entropy(x, w, {}, t, {}, {.confusion = Tensor::empty({4, 4}, {.dtype = DType::i32})});
            }),
            "head_cross_entropy: the confusion must be a dense [4,4], and needs predictions");
  EXPECT_EQ(error_of([&] { head_cross_entropy(x, w, {}, t, {}, {.smoothing = 2}); }),
            "head_cross_entropy: smoothing must be 0 to 1, got 2");
}

}  // namespace
}  // namespace kern
